import { afterEach, describe, expect, test, vi } from "vitest";
import { folderWith } from "../support/folder.ts";
import { runCommand } from "../support/run-command.ts";

afterEach(() => vi.unstubAllEnvs());

describe("nopage lab", () => {
  test("all that is wrong with the words is told at once, and nothing is booted", async () => {
    const folder = folderWith({ "mine.ko": "no module", "empty.ts": "export const nothing = 1;\n" });
    const words = [
      "--subject",
      "memdf,./empty.ts",
      "--law",
      "lk-6",
      "--module",
      "mine.ko",
      "none.ko",
      "--jobs",
      "0",
      "--seed",
      "1x",
      "--runs",
      "0",
      "--markdown",
      "none/parity.md",
    ];
    const { code, stdout, stderr } = await runCommand(["lab", ...words], folder);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("nopage: 9 problems, and nothing was run\n");
    expect(stderr).toContain('--subject: found "memdf"; expected the name of a subject or of a strategy (');
    expect(stderr).toContain('nearest choice: "memfd"\n');
    expect(stderr).toContain('"./empty.ts"; expected a module that exports what defineSubject has made\n');
    expect(stderr).toContain('--law: found "lk-6"; expected a law such as');
    expect(stderr).toContain(`"mine.ko"; expected a kernel module, but ${folder}/mine.ko is no ELF file\n`);
    expect(stderr).toContain('--jobs: found "0"; expected a whole number from 1 to 99\n');
    expect(stderr).toContain('--seed: found "1x"; expected a whole number from 0 to 999999999\n');
    expect(stderr).toContain('--runs: found "0"; expected a whole number from 1 to 99999\n');
    expect(stderr).toContain('--markdown: found "none/parity.md"; expected ');
    expect(stderr).toContain(`there is no file ${folder}/none.ko that can be read\n`);
  });

  test("random sequences MUST have a model to be compared with, and nothing beside them that they leave out", async () => {
    const words = [
      "--subject",
      "memfd,lazy-nopage,vgem",
      "--law",
      "MM-01",
      "--markdown",
      "parity.md",
      "--runs",
      "9",
    ];
    const { code, stdout, stderr } = await runCommand(["lab", "--random", "3", ...words], folderWith({}));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("nopage: 4 problems, and nothing was run\n");
    expect(stderr).toContain('--runs: found "9"; expected no --random beside it');
    expect(stderr).toContain('--law: found "MM-01"; expected no --random beside it');
    expect(stderr).toContain('--markdown: found "parity.md"; expected no --random beside it');
    expect(stderr).toMatch(
      /--subject: found "memfd,vgem"; expected with --random a subject that the model has as well, .*: .*lazy-nopage, /,
    );
    expect(stderr).not.toMatch(/compare with: .*(?:memfd|usbmon|\ball,)/);
  });

  test("where QEMU, the compiler or the kernel is missing, it says what to install", async () => {
    vi.stubEnv("NOPAGE_LAB_CACHE", folderWith({}));
    vi.stubEnv("PATH", "/nowhere");
    const { code, stdout, stderr } = await runCommand(["lab", "--subject", "memfd"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/QEMU: found nothing; expected .*install qemu-system-x86, or run tools/);
    expect(stderr).toMatch(/C compiler: found nothing; expected .*install gcc and libc6-dev/);
    expect(stderr).toMatch(
      /Linux kernel: found nothing; expected one that is unpacked in .*tools\/install-lab/,
    );
    expect(stderr).not.toContain("make");
  });

  test("where what builds modules is missing, it says so for those that have theirs built", async () => {
    vi.stubEnv("NOPAGE_LAB_CACHE", folderWith({}));
    vi.stubEnv("PATH", "/nowhere");
    const { code, stderr } = await runCommand(["lab", "--subject", "lazy-nopage"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/make: found nothing; expected make on the PATH: install make, or run tools/);
    expect(stderr).toMatch(/kernel headers: found nothing; expected those of the kernel/);
  });

  test("nopage doctor tells of it, and holds all the same", async () => {
    vi.stubEnv("NOPAGE_LAB_CACHE", folderWith({}));
    const { code, stdout } = await runCommand(["doctor"], folderWith({}));
    expect(code).toBe(0);
    expect(stdout).toMatch(/-- {2}Linux kernel: .*\(for nopage lab only\)\n/);
    expect(stdout).toMatch(/-- {2}kernel headers: .*\(for nopage lab only\)\n/);
    expect(stdout).toMatch(/ok {2}C sources of the twins: 7 drivers\n/);
  });
});
