import {
  type BackingMemory,
  type MaySleep,
  mapPfn,
  type Pfn,
  VM_MAYREAD,
  VM_MIXEDMAP,
  VM_PFNMAP,
  VM_READ,
  VM_WRITE,
} from "@nopage/core";
import { must, mustBe, mustReach, SIGSEGV_ACCERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import { type ShownMemory, showMemory } from "../../shown-memory.ts";
import type { LawCase } from "../law.ts";
import { ownDevice } from "../support/own-device.ts";
import { mapPlanted, plantDevice, setOps } from "../support/planted-device.ts";
import { privateMemory } from "../support/private-memory.ts";

const PATH = "/dev/debugged";
const READ_WRITE = VM_READ | VM_WRITE;
/** What the owner writes once nobody may look any more. */
const SECRET = 0x5ec;

/** Registers, and RAM that is shown as if it were registers. */
const kinds = ["pfn-run", "page-array"] as const;

/** PF-08: what a debugger reads and writes by `/proc/PID/mem`. */
export const debuggerCases: readonly LawCase[] = [
  {
    when: "memory that its process may not touch",
    schedule: "sequential",
    kinds: "one",
    *program({ subject: { pageSize } }) {
      const own = yield* privateMemory(pageSize, [7]);
      yield* succeed("mprotect", user.mprotect(own, pageSize, 0));
      mustBe("a load of the process", yield* user.load(own), SIGSEGV_ACCERR);
      mustBe("what the debugger sees", wordOf(yield* user.readProcMem(own, 4)), 7);
    },
  },
  {
    when: "memory that may never be read",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program() {
      const device = yield* ownDevice({
        mmap: (area) => {
          area.flags &= ~VM_MAYREAD;
          return 0;
        },
      });
      const { address } = yield* device.mapped({ protection: 0 });
      mustBe("the bytes that the debugger sees", (yield* user.readProcMem(address, 4)).length, 0);
      mustBe("how often the handler was asked", device.asked.length, 0);
      yield* device.release();
    },
  },
  ...(
    [
      [
        "that throws",
        () => {
          throw new Error("the device does not answer");
        },
      ],
      ["that answers more bytes than it was asked for", (bytes: number) => bytes + 1],
      ["that answers half a byte", () => 0.5],
    ] as const
  ).map(
    ([what, answer]): LawCase => ({
      when: `an access hook ${what}`,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      provokes: "contract",
      *program() {
        const device = yield* ownDevice({
          faults: "not-answered",
          ops: () => ({ access: (_area, _at, buffer): MaySleep<number> => answer(buffer.length) }),
        });
        const { address } = yield* device.mapped();
        mustBe("the bytes that the debugger sees", (yield* user.readProcMem(address, 4)).length, 0);
        yield* device.release();
      },
    }),
  ),
  {
    when: "generic_access_phys of an area that is neither VM_IO nor VM_PFNMAP",
    schedule: "sequential",
    executor: "model",
    kinds: "one",
    *program({ subject: { pageSize, markOf } }) {
      const device = yield* plantDevice(PATH, 1, ({ kernel }, own) => ({
        mmap(_file, area) {
          area.flags |= VM_MIXEDMAP;
          return setOps(area, {
            nopagePfn: () => mapPfn(own.frame(0)),
            access: (of, at, buffer, direction) => kernel.mappings.accessPhys(of, at, buffer, direction),
          });
        },
      }));
      const address = yield* succeed("mmap", mapPlanted(device, pageSize));
      mustBe("a load", yield* user.load(address), markOf(0));
      mustBe("the bytes that the debugger sees", (yield* user.readProcMem(address, 4)).length, 0);
    },
  },
  ...kinds.map(
    (kind): LawCase => ({
      when: `reading and writing of ${kind} memory`,
      schedule: "sequential",
      executor: "model",
      kinds: "one",
      *program({ subject: { pageSize, markOf } }) {
        const { shown } = yield* showFrame(kind);
        const readable = yield* mapFrame(pageSize, VM_READ);
        mustReach("a load", yield* user.load(readable));
        mustBe("the bytes written to a read-only mapping", yield* user.writeProcMem(readable, bytesOf(5)), 0);
        mustBe("the frame after that", shown.peek(0), markOf(0));
        const address = yield* mapFrame(pageSize, READ_WRITE);
        mustReach("a load", yield* user.load(address));
        mustBe("the bytes written", yield* user.writeProcMem(address, bytesOf(77)), 4);
        mustBe("the frame after that", shown.peek(0), 77);
        mustBe("what the process sees", yield* user.load(address), 77);
        mustBe("what the debugger sees", wordOf(yield* user.readProcMem(readable, 4)), 77);
        for (const at of [address, readable]) yield* user.munmap(at, pageSize);
        shown.release();
      },
    }),
  ),
  ...kinds.flatMap((kind) =>
    (["read", "write"] as const).map(
      (direction): LawCase => ({
        when: `a ${direction} of ${kind} memory while its owner takes it away`,
        schedule: "racy",
        executor: "model",
        kinds: "one",
        *program({ subject: { pageSize, markOf } }) {
          const { shown, takeAway } = yield* showFrame(kind);
          const address = yield* mapFrame(pageSize, READ_WRITE);
          mustReach("a load", yield* user.load(address));
          const owner = yield* user.thread(function* () {
            yield* takeAway();
            yield* user.kernel(function* () {
              shown.poke(0, SECRET);
            });
          }, "owner");
          if (direction === "read") {
            const seen = yield* user.readProcMem(address, 4);
            const word = seen.length === 0 ? markOf(0) : wordOf(seen);
            mustBe("what the debugger sees", word, markOf(0));
          } else {
            const written = yield* user.writeProcMem(address, bytesOf(77));
            must(written === 0 || written === 4, `the debugger writes ${written} bytes of 4`);
          }
          yield* user.join(owner);
          mustBe("the frame that the owner has taken away", shown.peek(0), SECRET);
          yield* user.munmap(address, pageSize);
          shown.release();
        },
      }),
    ),
  ),
];

/** A device that shows one frame as a bare one, to a debugger by `generic_access_phys`. */
function* showFrame(
  kind: (typeof kinds)[number],
): Steps<{ readonly shown: ShownMemory; readonly takeAway: () => Steps<void> }> {
  return yield* user.kernel(function* ({ machine, kernel }) {
    const shown = showMemory(machine, kind, 1);
    const pfn = frameOf(shown.memory);
    const inode = machine.devices.register(PATH, {
      name: PATH,
      owner: undefined,
      mmap(_file, area) {
        area.flags |= VM_PFNMAP;
        area.ops = {
          name: PATH,
          nopagePfn: () => mapPfn(pfn),
          access: (of, at, buffer, direction) => kernel.mappings.accessPhys(of, at, buffer, direction),
        };
        return 0;
      },
    });
    if (typeof inode === "number") throw new Error(`${PATH} is already registered`);
    const takeAway = () =>
      user.kernel(() => kernel.mappings.unmapMappingRange(inode.mapping, 0, 1, "even-cows"));
    return { shown, takeAway };
  });
}

function* mapFrame(length: number, protection: number): Steps<number> {
  const request = { path: PATH, mode: "read-write", blocking: "blocking" } as const;
  const descriptor = yield* succeed(`open of ${PATH}`, user.open(request));
  const address = yield* succeed(
    "mmap",
    user.mmap({ length, protection, sharing: "shared", pgoff: 0, descriptor }),
  );
  yield* user.close(descriptor);
  return address;
}

function frameOf(memory: BackingMemory): Pfn {
  if (memory.kind === "pfn-run") return memory.pfn;
  const page = memory.kind === "page-array" ? memory.list[0] : undefined;
  if (page === undefined) throw new Error(`${memory.kind} memory without a page`);
  return page;
}

function bytesOf(value: number): Uint8Array {
  return Uint8Array.of(value, 0, 0, 0);
}

function wordOf(bytes: Uint8Array): number {
  return bytes.length < 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}
