import { describe, expect, it } from "vitest";
import { runCommand } from "./support/run-command.ts";

describe("nopage conform --mutants", () => {
  it("MUST say of each mutant what caught it, and that all were caught", async () => {
    const { code, stdout } = await runCommand(["conform", "--mutants"]);
    const [, caught, all] = /(\d+) of (\d+) mutants caught/.exec(stdout) ?? [];
    expect(Number(all)).toBeGreaterThan(150);
    expect({ code, caught }).toEqual({ code: 0, caught: all });
  });

  it("MUST tell the same as JSON, mutant by mutant", async () => {
    const { stdout } = await runCommand(["conform", "--mutants", "--json"]);
    const { mutants } = JSON.parse(stdout) as { readonly mutants: readonly object[] };
    expect(mutants[0]).toMatchObject({ bug: "B06", caught: true, executions: 1 });
    expect(Object.keys(mutants[0] ?? {})).toEqual(["name", "bug", "caught", "by", "executions"]);
  });
});
