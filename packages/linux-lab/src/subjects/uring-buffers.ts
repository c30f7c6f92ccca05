import { mustSucceed, type Pinner, type Steps, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { PAGE_BYTES, type SubjectDefinition } from "../subject/lab-subject.ts";
import { memfd } from "../subject/memfd.ts";
import { fixed, Ring } from "./uring-ring.ts";

type Pinned = Parameters<Pinner["unpin"]>[0];

const O_NONBLOCK = 0o4000;

/** Milliseconds between two looks at what is pinned, and in how many looks a number has to be the same to be believed. */
const LOOK_MS = 10;
const LOOKS = 30;

/** What a program holds: a buffer of a ring of its own. */
interface Token extends Pinned {
  readonly ring: Ring;
  readonly address: number;
}

const FOR_WRITING =
  "io_pin_pages asks for the right to write whatever the buffer is for: memory that may only be read cannot be registered";

/**
 * A device that has pages of the process by io_uring's registered buffers (io_uring/rsrc.c `io_pin_pages`, FOLL_LONGTERM): what
 * the device reads goes by WRITE_FIXED into a pipe, what it writes comes by READ_FIXED from one.
 */
export const uringBuffers: SubjectDefinition = {
  ...memfd,
  name: "uring-buffers",
  trial: "pinning",
  explained: [
    {
      law: "GP-06",
      when: "a mapping without write permission",
      seen: ["pin answers -14, and must succeed"],
      reason: FOR_WRITING,
    },
  ],
  *setUp() {
    // What the program before this one has left goes by itself.
    yield* settledHeld();
    return { ...(yield* memfd.setUp()), pinner };
  },
};

const pinner: Pinner = {
  name: "uring-buffers",
  supports: {
    holds: "pages",
    survives: ["munmap", "fork", "exit"],
    coherentAfterFork: true,
    onDeath: "kept-until-unpin",
    charged: true,
  },
  *pin(address, pages): Steps<Token | number> {
    const ring = yield* Ring.create();
    const result = yield* ring.register(address, pages * PAGE_BYTES);
    if (result === 0) return { ring, address, pages };
    yield* user.close(ring.descriptor);
    return result;
  },
  *unpin(pinned) {
    const { ring } = pinned as Token;
    mustSucceed("IORING_UNREGISTER_BUFFERS", yield* ring.unregister());
    yield* user.close(ring.descriptor);
  },
  deviceRead: (pinned, page) =>
    throughPipe(pinned as Token, page, function* ({ from, to }, operation) {
      const moved = yield* operation(fixed.write, to);
      if (moved < 0) return moved;
      const { written } = yield* lab.call("read", from, { room: 4 }, 4);
      return new DataView((written[0] ?? new Uint8Array(4)).buffer).getUint32(0, true);
    }),
  deviceWrite: (pinned, page, value) =>
    throughPipe(pinned as Token, page, function* ({ from, to }, operation) {
      yield* lab.call("write", to, new Uint8Array(new Uint32Array([value]).buffer), 4);
      return Math.min(0, yield* operation(fixed.read, from));
    }),
  held: () => settledHeld(),
  *stops() {
    return 0;
  },
  *quarantined() {
    return 0;
  },
  *endService() {},
};

/** The two ends of a pipe. */
interface Pipe {
  readonly from: number;
  readonly to: number;
}

/** Has the ring move the first word of a page through a pipe that is there for that; nothing of it waits. */
function* throughPipe(
  { ring, address, pages }: Token,
  page: number,
  move: (
    pipe: Pipe,
    operation: (code: (typeof fixed)[keyof typeof fixed], file: number) => Steps<number>,
  ) => Steps<number>,
): Steps<number> {
  if (page >= pages) throw new RangeError(`${pages} pages are held, and page ${page} is none of them`);
  const { result, written } = yield* lab.call("pipe2", { room: 8 }, O_NONBLOCK);
  mustSucceed("pipe2", result);
  const [from = -1, to = -1] = new Int32Array((written[0] ?? new Uint8Array(8)).buffer);
  const place = { address: address + page * PAGE_BYTES, bytes: 4 };
  const answer = yield* move({ from, to }, (code, file) => ring.perform({ code, file, ...place }));
  yield* user.close(from);
  yield* user.close(to);
  return answer;
}

/**
 * Pages that are pinned, in the whole kernel. What a process leaves behind is unpinned after it by a worker of the kernel
 * (`io_ring_exit_work`), so a number above 0 is believed once it has stayed.
 */
function* settledHeld(): Steps<number> {
  let held = yield* heldNow();
  for (let same = 1; held > 0 && same < LOOKS; same++) {
    yield* lab.call("poll", 0, 0, LOOK_MS);
    const now = yield* heldNow();
    if (now !== held) same = 0;
    held = now;
  }
  return held;
}

/** The difference of the counters in /proc/vmstat, which each CPU keeps for itself until it is told to hand them in. */
function* heldNow(): Steps<number> {
  mustSucceed("stat_refresh", yield* lab.writeFile("/proc/sys/vm/stat_refresh", "1"));
  const counters = String(yield* lab.readFile("/proc/vmstat"));
  const counter = (name: string): number => {
    const [, count] = new RegExp(`^nr_foll_pin_${name} (\\d+)$`, "m").exec(counters) ?? [];
    if (count === undefined) throw new Error(`/proc/vmstat does not say nr_foll_pin_${name}`);
    return Number(count);
  };
  return counter("acquired") - counter("released");
}
