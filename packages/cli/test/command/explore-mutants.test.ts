import { describe, expect, it } from "vitest";
import { runCommand } from "../support/run-command.ts";

interface Told {
  readonly mutants: readonly { readonly caught: { readonly law: string; readonly schedule: string } }[];
}

describe("nopage explore --mutants", () => {
  it("tells of each mutant the law that caught it, the executions, and the size of its failure", async () => {
    const { code, stdout } = await runCommand(["explore", "--mutants", "--law", "PF-10", "LC-20"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +bug +mutant +law +race +executions +steps +preemptions$/m);
    expect(stdout).toMatch(/^ +B25 +the whole area .* +PF-10 +yes +\d+ +\d+ +1$/m);
    expect(stdout).toMatch(/^2 of 2 concurrent mutants caught, in \d+ executions/m);
  });

  it("counts those that a program in which nobody races has caught apart from those of a race", async () => {
    const words = ["explore", "--mutants", "--law", "PF-10", "LC-20", "GP-06"];
    const { stdout } = await runCommand(words);
    expect(stdout).toMatch(/ PF-10 +yes +\d/);
    expect(stdout).toMatch(/ GP-06 +no +1 +0 +0$/m);
    const { mutants } = JSON.parse((await runCommand([...words, "--json"])).stdout) as Told;
    const racy = mutants.filter(({ caught }) => caught.schedule === "racy");
    expect(racy.map(({ caught }) => caught.law)).toEqual(["PF-10"]);
    expect(stdout).toContain(`: 1 in a race, ${mutants.length - 1} by a program in which nobody races\n`);
  });

  it("tells the same as JSON, without times, so that it is the same each time", async () => {
    const words = ["explore", "--mutants", "--law", "pf-10", "--json"];
    const { stdout } = await runCommand(words);
    expect((await runCommand(words)).stdout).toBe(stdout);
    const { mutants } = JSON.parse(stdout) as { readonly mutants: readonly { readonly caught: object }[] };
    expect(Object.keys(mutants[0] ?? {})).toEqual(["name", "bug", "caught", "executions"]);
    expect(mutants[0]?.caught).toMatchObject({ law: "PF-10", preemptions: 1, isFewest: true });
  });

  it("refuses what it cannot heed, all at once", async () => {
    const words = "explore lazy-nopage --mutants --preemptions 2 --law PF-99".split(" ");
    const { code, stdout, stderr } = await runCommand(words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("3 problems, and nothing was run");
    expect(stderr).toContain("lazy-nopage");
    expect(stderr).toContain("--preemptions");
    expect(stderr).toContain("PF-99");
    expect((await runCommand(["explore", "--mutants", "--law", "LK-01"])).stderr).toContain(
      "a law that some concurrent mutant breaks",
    );
  });
});
