import { describe, expect, it } from "vitest";
import { runCommand } from "../support/run-command.ts";

describe("nopage explore --mutants", () => {
  it("tells of each mutant the law that caught it, the executions, and the size of its failure", async () => {
    const { code, stdout } = await runCommand(["explore", "--mutants", "--law", "PF-10", "LC-20"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ +bug +mutant +law +executions +steps +preemptions$/m);
    expect(stdout).toMatch(/^ +B25 +the whole area .* +PF-10 +\d+ +\d+ +1$/m);
    expect(stdout).toMatch(/^2 of 2 concurrent mutants caught, in \d+ executions/m);
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
