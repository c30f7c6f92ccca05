import { PassThrough } from "node:stream";
import { afterEach, describe, expect, it, vi } from "vitest";
import { processTerminal } from "#src/step/terminal";

/** Somebody's end of a terminal that says it has so many columns and rows. */
function attach(columns: number, rows: number): PassThrough {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns, rows });
  vi.spyOn(process, "stdin", "get").mockReturnValue(stdin as unknown as typeof process.stdin);
  vi.spyOn(process, "stdout", "get").mockReturnValue(stdout as unknown as typeof process.stdout);
  return stdin;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the terminal of a process", () => {
  it("MUST have a size where it does not know its own", () => {
    attach(0, 0);
    const { columns, rows } = processTerminal() ?? { columns: 0, rows: 0 };
    expect({ columns, rows }).toEqual({ columns: 80, rows: 24 });
    attach(132, 50);
    expect(processTerminal()?.columns).toBe(132);
  });

  it("MUST end the stepping when nobody is there any more", async () => {
    const stdin = attach(80, 24);
    const pressed: string[] = [];
    const reading = (async () => {
      for await (const key of processTerminal()?.keys() ?? []) {
        pressed.push(key);
        if (key === "q") return;
      }
    })();
    stdin.write("n");
    setTimeout(() => stdin.end(), 20);
    await reading;
    expect(pressed).toEqual(["n", "q"]);
  });
});
