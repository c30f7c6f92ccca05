// What the checks look at: the packages, and the TypeScript files in them.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Package folders relative to `root`, such as `packages/core`. */
export function packageDirectories(root) {
  return ["packages", "packages/strategies"].flatMap((parent) => {
    if (!existsSync(join(root, parent))) return [];
    return readdirSync(join(root, parent))
      .sort()
      .map((name) => `${parent}/${name}`)
      .filter((directory) => existsSync(join(root, directory, "package.json")));
  });
}

/** TypeScript files in the given folders of every package, relative to `root`. */
export function sourceFiles(root, folders) {
  return packageDirectories(root).flatMap((directory) =>
    folders.flatMap((folder) => {
      const path = join(root, directory, folder);
      if (!existsSync(path)) return [];
      return readdirSync(path, { recursive: true })
        .filter((file) => /\.[cm]?tsx?$/.test(file) && !file.includes("node_modules"))
        .sort()
        .map((file) => `${directory}/${folder}/${file}`);
    }),
  );
}
