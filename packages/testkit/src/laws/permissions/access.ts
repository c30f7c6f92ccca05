import { EACCES, EPERM, isError, VM_MAYWRITE, VM_READ, VM_WRITE } from "@nopage/core";
import { must, mustBe, mustFail, SIGSEGV_ACCERR, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { AnyLaw } from "../law.ts";
import { ownDevice } from "../support/own-device.ts";

const READ_WRITE = VM_READ | VM_WRITE;

/** The flags that smaps shows of the area at an address. */
export function* flagsAt(address: number): Steps<readonly string[]> {
  const areas = yield* user.smaps();
  const area = areas.find(({ start, end }) => address >= start && address < end);
  if (area === undefined) throw new Error(`smaps shows nothing at 0x${address.toString(16)}`);
  return area.flags;
}

/** Nobody may become a writer of an area by mprotect. */
function* mustStayReadOnly(what: string, address: number, bytes: number): Steps<void> {
  const flags = yield* flagsAt(address);
  must(!flags.includes("mw"), `${what} may become writable: its flags are ${flags.join(" ")}`);
  mustFail(`mprotect of ${what} for writing`, yield* user.mprotect(address, bytes, READ_WRITE), EACCES);
  mustBe(`a store to ${what}`, yield* user.store(address, 1), SIGSEGV_ACCERR);
}

/** Who may read and write, and who is asked. */
export const accessLaws: readonly AnyLaw[] = [
  {
    id: "PE-01",
    level: "required",
    owner: ["strategy"],
    rule: "who refuses writers MUST refuse them for ever: mmap for writing fails, VM_MAYWRITE is cleared, and mprotect for writing fails with EACCES",
    source: "drivers/usb/mon/mon_bin.c mon_bin_mmap (CVE-2022-43750); drivers/android/binder.c binder_mmap",
    cases: [
      {
        when: "what mmap refuses, mprotect must refuse",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const written = yield* subject.map({ protection: READ_WRITE });
          const address = isError(written)
            ? yield* succeed("mmap for reading", subject.map({ protection: VM_READ }))
            : written;
          mustBe("a load", yield* user.load(address), subject.markOf(0));
          if (isError(written)) {
            yield* mustStayReadOnly("what was refused to a writer", address, pageSize);
            return;
          }
          yield* succeed("mprotect for reading", user.mprotect(address, pageSize, VM_READ));
          mustBe("a store to what is read-only now", yield* user.store(address, 1), SIGSEGV_ACCERR);
          yield* succeed("mprotect for writing", user.mprotect(address, pageSize, READ_WRITE));
          mustBe("a store afterwards", yield* user.store(address + 8, 1), undefined);
        },
      },
      {
        when: "a driver that refuses writers",
        schedule: "sequential",
        executor: "model",
        *program({ subject }) {
          const device = yield* ownDevice({
            mmap(area) {
              if ((area.flags & VM_WRITE) !== 0) return -EPERM;
              area.flags &= ~VM_MAYWRITE;
              return 0;
            },
          });
          mustFail("mmap for writing", yield* device.map({ protection: READ_WRITE }), EPERM);
          const { address } = yield* device.mapped({ protection: VM_READ });
          mustBe("a load", yield* user.load(address), subject.markOf(0));
          yield* mustStayReadOnly("what was refused to a writer", address, subject.pageSize);
          yield* user.munmap(address, 4 * subject.pageSize);
          yield* device.release();
        },
      },
    ],
  },
  {
    id: "PE-02",
    level: "required",
    owner: ["core"],
    rule: "a shared mapping of a file that was not opened for writing MUST have neither VM_MAYWRITE nor VM_SHARED, and MUST NOT become writable",
    source: "mm/mmap.c do_mmap",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const descriptor = yield* succeed("open for reading", subject.open("read"));
          const refused = yield* subject.map({ descriptor, protection: READ_WRITE });
          mustFail("a shared mmap for writing", refused, EACCES);
          const address = yield* succeed(
            "mmap for reading",
            subject.map({ descriptor, protection: VM_READ }),
          );
          mustBe("a load", yield* user.load(address), subject.markOf(0));
          yield* mustStayReadOnly("what was opened for reading", address, subject.pageSize);
          const flags = yield* flagsAt(address);
          must(!flags.includes("sh"), `the area is VM_SHARED: its flags are ${flags.join(" ")}`);
          must(flags.includes("ms"), `the area is not VM_MAYSHARE: its flags are ${flags.join(" ")}`);
        },
      },
    ],
  },
  {
    id: "PE-03",
    level: "required",
    owner: ["core", "strategy"],
    rule: "mprotect MUST ask the driver only after the MAY bits have allowed it, and the driver's errno MUST stop it",
    source: "mm/mprotect.c do_mprotect_pkey",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: ({ subject }) =>
          subject.failNext === undefined ? "its driver cannot be told to refuse" : undefined,
        *program({ subject }) {
          const { pageSize } = subject;
          const protect = (address: number, protection: number) =>
            user.mprotect(address, pageSize, protection);
          const descriptor = yield* succeed("open for reading", subject.open("read"));
          const readOnly = yield* succeed("mmap", subject.map({ descriptor, protection: VM_READ }));
          const address = yield* succeed("mmap", subject.map());
          yield* subject.failNext?.("mprotect", EPERM) ?? user.settle();
          // The driver is not asked here, so that its refusal is still to come.
          mustFail("mprotect of what was opened for reading", yield* protect(readOnly, READ_WRITE), EACCES);
          mustFail("mprotect that the driver refuses", yield* protect(address, VM_READ), EPERM);
          mustBe("a store after the refusal", yield* user.store(address + 8, 1), undefined);
          yield* succeed("mprotect afterwards", protect(address, VM_READ));
          mustBe("a store to what is read-only now", yield* user.store(address + 8, 1), SIGSEGV_ACCERR);
        },
      },
    ],
  },
];
