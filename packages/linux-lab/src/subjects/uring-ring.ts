import { VM_READ, VM_WRITE } from "@nopage/core";
import { mustSucceed, type Steps, user } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { PAGE_BYTES } from "../subject/lab-subject.ts";

/** `struct io_uring_params`: where its two tables of offsets begin. */
const PARAMS_BYTES = 120;
const SUBMISSION_OFFSETS = 40;
const COMPLETION_OFFSETS = 80;

/** `IORING_OFF_SQES`, in pages; both rings lie at 0. */
const ENTRIES_PAGE = 0x1000_0000 / PAGE_BYTES;

const IORING_ENTER_GETEVENTS = 1;

const IORING_REGISTER_BUFFERS = 0;
const IORING_UNREGISTER_BUFFERS = 1;

/** Operations on a registered buffer, which is the first of its ring here. */
export const fixed = { read: 4, write: 5 } as const;

/** An operation as the one entry of a ring has it: bytes between an open file and a place in the registered buffer. */
export interface RingOperation {
  readonly code: (typeof fixed)[keyof typeof fixed];
  readonly file: number;
  readonly address: number;
  readonly bytes: number;
}

/**
 * An io_uring with room for one operation at a time (io_uring_setup(2), include/uapi/linux/io_uring.h), of the process that
 * makes it. Its rings are mapped while an operation is handed in, and not in between, so that nothing else of the process is
 * changed by it.
 */
export class Ring {
  readonly descriptor: number;
  readonly #head: number;
  readonly #tail: number;
  readonly #completed: number;
  readonly #completions: number;

  private constructor(descriptor: number, params: DataView) {
    this.descriptor = descriptor;
    this.#tail = params.getUint32(SUBMISSION_OFFSETS + 4, true);
    this.#head = params.getUint32(COMPLETION_OFFSETS, true);
    this.#completed = params.getUint32(COMPLETION_OFFSETS + 4, true);
    this.#completions = params.getUint32(COMPLETION_OFFSETS + 20, true);
  }

  static *create(): Steps<Ring> {
    const { result, written } = yield* lab.call("io_uring_setup", 1, { room: PARAMS_BYTES });
    const [params = new Uint8Array(PARAMS_BYTES)] = written;
    return new Ring(mustSucceed("io_uring_setup", result), new DataView(params.buffer, params.byteOffset));
  }

  /** Registers memory of the process as the ring's first buffer, which pins it: 0 or a negated errno. */
  *register(address: number, bytes: number): Steps<number> {
    const vector = new Uint8Array(new BigUint64Array([BigInt(address), BigInt(bytes)]).buffer);
    return (yield* lab.call("io_uring_register", this.descriptor, IORING_REGISTER_BUFFERS, vector, 1)).result;
  }

  /** Waits for what uses the buffer, and unpins it: 0 or a negated errno. */
  *unregister(): Steps<number> {
    return (yield* lab.call("io_uring_register", this.descriptor, IORING_UNREGISTER_BUFFERS, 0, 0)).result;
  }

  /** Hands one operation in and waits for its end: the bytes moved, or a negated errno. */
  *perform({ code, file, address, bytes }: RingOperation): Steps<number> {
    const entry = yield* this.#mapped(ENTRIES_PAGE);
    yield* user.store64(entry, BigInt(code) | (BigInt(file) << 32n));
    yield* user.store64(entry + 16, BigInt(address));
    yield* user.store(entry + 24, bytes);
    yield* user.munmap(entry, PAGE_BYTES);
    const rings = yield* this.#mapped(0);
    yield* user.store(rings + this.#tail, (yield* loaded(rings + this.#tail)) + 1);
    const entered = yield* lab.call("io_uring_enter", this.descriptor, 1, 1, IORING_ENTER_GETEVENTS, 0, 0);
    if (entered.result !== 1) throw new Error(`io_uring_enter answers ${entered.result} for one operation`);
    const head = yield* loaded(rings + this.#head);
    const done = (yield* loaded(rings + this.#completed)) - head;
    if (done !== 1) throw new Error(`${done} operations of a ring are over, and one was handed in`);
    // Two completions have room there, of 16 bytes each; the second word is the answer.
    const answer = (yield* loaded(rings + this.#completions + (head % 2) * 16 + 8)) | 0;
    yield* user.store(rings + this.#head, head + 1);
    yield* user.munmap(rings, PAGE_BYTES);
    return answer;
  }

  /** A part of the ring, which is no longer than a page. */
  *#mapped(pgoff: number): Steps<number> {
    const request = { length: PAGE_BYTES, protection: VM_READ | VM_WRITE, sharing: "shared" } as const;
    const { descriptor } = this;
    return mustSucceed("mmap of a ring", yield* user.mmap({ ...request, descriptor, pgoff }));
  }
}

function* loaded(address: number): Steps<number> {
  const word = yield* user.load(address);
  if (typeof word !== "number") throw new Error(`a load from a ring ends in ${word.signal}`);
  return word;
}
