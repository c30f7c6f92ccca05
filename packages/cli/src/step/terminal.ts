import { emitKeypressEvents, type Key } from "node:readline";

/** A terminal that somebody sits at. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  /** Puts a screen in the place of the one before. */
  show(screen: string): void;
  /** The keys as they are pressed, by their names, and `resize` when the terminal has another size. It ends with the loop over it. */
  keys(): AsyncGenerator<string, void, void>;
}

const OTHER_SCREEN = "\u001b[?1049h\u001b[?25l";
const BACK = "\u001b[?25h\u001b[?1049l";
const CLEAR = "\u001b[H\u001b[2J";

/** The terminal of this process; undefined where its input or output is none. */
export function processTerminal(): Terminal | undefined {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return undefined;
  return {
    // A terminal that does not know its size says that it has none.
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    show: (screen) => void stdout.write(`${CLEAR}${screen.replaceAll("\n", "\r\n")}`),
    keys: pressedKeys,
  };
}

async function* pressedKeys(): AsyncGenerator<string, void, void> {
  const { stdin, stdout } = process;
  const pressed: string[] = [];
  let wake = (): void => undefined;
  const note = (name: string): void => {
    pressed.push(name);
    wake();
  };
  const onKey = (text: string | undefined, key: Key): void => note(nameOf(text, key));
  const onResize = (): void => note("resize");
  // Nobody is there any more.
  const onEnd = (): void => note("q");
  emitKeypressEvents(stdin);
  stdin.setRawMode(true).on("keypress", onKey).on("end", onEnd).resume();
  stdout.on("resize", onResize);
  stdout.write(OTHER_SCREEN);
  try {
    for (;;) {
      const key = pressed.shift();
      if (key !== undefined) yield key;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    stdin.off("keypress", onKey).off("end", onEnd).setRawMode(false).pause();
    stdout.off("resize", onResize);
    stdout.write(BACK);
  }
}

function nameOf(text: string | undefined, { name, ctrl }: Key): string {
  const plain = name ?? text ?? "";
  return ctrl === true ? `ctrl-${plain}` : plain;
}
