import { VM_PFNMAP } from "@nopage/core";
import { mustBe, SIGBUS, succeed } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";
import type { AnyLaw, Stage } from "../law.ts";
import {
  areaAt,
  countEntries,
  entriesShowing,
  objectAt,
  type ShownObject,
} from "../support/entries-showing.ts";
import {
  gateOf,
  hasNoGate,
  Moment,
  mustHoldOff,
  mustShowAll,
  presentPages,
  type Touch,
} from "../support/taking-away.ts";
import { manyAreas } from "./many-areas.ts";

const READ_WRITE = 3;
const WORD = 7;

function takesNoCopies({ subject }: Stage): string | undefined {
  return subject.supports.privateWritable ? undefined : "no private writable mapping of it is accepted";
}

/** For each page of a mapping, whether the calling process has an entry. */
function* entriesAt(subject: Subject, address: number, pages: number): Steps<readonly boolean[]> {
  return yield* user.kernel(function* ({ thread: { mm } }) {
    return Array.from({ length: pages }, (_, page) => {
      return mm.table.entryOf((address + page * subject.pageSize) / subject.pageSize) !== 0;
    });
  });
}

function* zapObject(object: ShownObject, first: number, pages: number): Steps<void> {
  yield* user.kernel(function* ({ kernel }) {
    yield* kernel.mappings.unmapMappingRange(object, first, pages, "shared-only");
  });
}

/** Maps from object page `first` on and touches what is there: the address. */
function* mapTouched(subject: Subject, first: number): Steps<number> {
  const address = yield* succeed(`mmap from page ${first} on`, subject.map({ first }));
  for (const page of presentPages(subject)) {
    if (page < first) continue;
    mustBe(
      `page ${page}`,
      yield* user.load(address + (page - first) * subject.pageSize),
      subject.markOf(page),
    );
  }
  return address;
}

/** Which mappings a look-up by object finds. */
export const reachLaws: readonly AnyLaw[] = [
  {
    id: "RV-04",
    level: "required",
    owner: ["core"],
    rule: "unmap_mapping_range MUST reach every area of every process that maps the part, a length of 0 meaning to the end, and nothing else; private copies go only where that is asked for",
    source: "mm/memory.c unmap_mapping_range",
    cases: [
      {
        when: "private copies while the object is taken away",
        schedule: "sequential",
        excluded: (stage) => hasNoGate(stage) ?? takesNoCopies(stage),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
          yield* user.store(address, WORD);
          yield* gateOf(subject).close();
          mustBe("a private copy while the object is taken away", yield* user.load(address), WORD);
          yield* gateOf(subject).open();
          mustBe("a private copy afterwards", yield* user.load(address), WORD);
        },
      },
      {
        when: "a file that is cut off",
        schedule: "sequential",
        *program({ subject }) {
          const { pageSize } = subject;
          const descriptor = yield* succeed("memfd_create", user.memfd("cut"));
          yield* succeed("ftruncate", user.ftruncate(descriptor, 3 * pageSize));
          const request = { protection: READ_WRITE, sharing: "shared", descriptor } as const;
          const whole = yield* succeed("mmap", user.mmap({ ...request, length: 3 * pageSize }));
          const rest = yield* succeed("mmap", user.mmap({ ...request, length: pageSize, pgoff: 2 }));
          for (let page = 0; page < 3; page++) yield* user.store(whole + page * pageSize, WORD + page);
          mustBe("page 2 through the other mapping", yield* user.load(rest), WORD + 2);
          let isCut = false;
          const look = function* (): Steps<void> {
            while (!isCut) yield* user.sleep(1000);
            mustBe("the page that is left", yield* user.load(whole), WORD);
            for (const address of [whole + pageSize, whole + 2 * pageSize, rest]) {
              mustBe("a load past the end", yield* user.load(address), SIGBUS);
            }
          };
          const child = yield* user.fork(look);
          yield* user.sleep(1000);
          yield* succeed("ftruncate", user.ftruncate(descriptor, pageSize));
          isCut = true;
          yield* look();
          if (typeof child !== "number") yield* user.join(child);
        },
      },
      {
        when: "a part of the object",
        schedule: "sequential",
        executor: "model",
        *program({ subject }) {
          const whole = yield* mapTouched(subject, 0);
          const rest = yield* mapTouched(subject, 1);
          const object = yield* objectAt(whole);
          const last = subject.pages - 1;
          const mustBeMapped = function* (what: string, isMapped: (page: number) => boolean): Steps<void> {
            const present = presentPages(subject);
            for (const [first, address] of [whole, rest].entries()) {
              const expected = Array.from({ length: subject.pages - first }, (_, index) => {
                return present.includes(index + first) && isMapped(index + first);
              });
              const seen = yield* entriesAt(subject, address, subject.pages - first);
              mustBe(`whether pages from ${first} on are mapped after ${what}`, seen, expected);
            }
          };
          yield* mustBeMapped("every page was touched", () => true);
          yield* zapObject(object, 1, 1);
          yield* mustBeMapped("page 1 was unmapped", (page) => page !== 1);
          yield* zapObject(object, last, 0);
          yield* mustBeMapped(
            "the last page was unmapped, to the end",
            (page) => page !== 1 && page !== last,
          );
          yield* zapObject(object, 0, 0);
          mustBe("the number of entries after all of it was unmapped", yield* countEntries(object), 0);
        },
      },
      ...manyAreas,
    ],
  },
  {
    id: "RV-05",
    level: "model-only",
    owner: ["strategy"],
    rule: "a removal alone does not keep anybody away; once the gate is closed and the entries are gone, none MUST come back until it opens",
    source: "vfio_pci_zap_and_vma_lock; mail of 1998",
    cases: [
      {
        when: "at every moment while the object is taken away",
        schedule: "racy",
        machine: { cpus: 3 },
        excluded: hasNoGate,
        *program({ subject }) {
          const moment = new Moment();
          const address = yield* succeed("mmap", subject.map());
          const object = yield* objectAt(address);
          const sibling = yield* user.thread(function* () {
            for (let turn = 0; turn < 2; turn++) yield* moment.touch(subject, address, 0);
          });
          yield* moment.close(subject);
          yield* user.kernel(function* ({ machine, kernel }) {
            const moments = kernel.sync.shared("moments while the object is taken away", 0);
            for (let turn = 0; turn < 4; turn++) {
              mustBe(`the number of entries at moment ${turn}`, entriesShowing(machine, object), 0);
              yield* moments.set(turn);
            }
          });
          yield* moment.open(subject);
          yield* user.join(sibling);
        },
      },
      {
        when: "a removal alone",
        schedule: "sequential",
        *program({ subject }) {
          const address = yield* mapTouched(subject, 0);
          yield* zapObject(yield* objectAt(address), 0, 0);
          const isEager = subject.supports.populate === "eager";
          // Who has no fault handler has nothing to bring the page back with.
          mustBe(
            "a load after a removal alone",
            yield* user.load(address),
            isEager ? SIGBUS : subject.markOf(0),
          );
        },
      },
    ],
  },
  {
    id: "RV-06",
    level: "required",
    owner: ["driver", "strategy"],
    rule: "the object MUST be taken away from whoever maps it, by whichever of its names they opened it",
    source:
      "mm/memory.c unmap_mapping_range searches the address_space of vma->vm_file; drm_dev_init, which redirects i_mapping",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: (stage) =>
          hasNoGate(stage) ??
          (stage.subject.openElsewhere === undefined ? "it has one name only" : undefined),
        *program({ subject }) {
          const usual = yield* mapTouched(subject, 0);
          const descriptor = yield* succeed(
            "open by another name",
            subject.openElsewhere?.() ?? subject.open(),
          );
          const other = yield* succeed("mmap by another name", subject.map({ descriptor }));
          yield* mustShowAll(subject, "by another name", other);
          yield* gateOf(subject).close();
          const touches: Touch[] = [];
          touches.push(...(yield* mustHoldOff(subject, "its usual name", usual)));
          touches.push(...(yield* mustHoldOff(subject, "another name", other)));
          yield* gateOf(subject).open();
          for (const { actor } of touches) yield* user.join(actor);
          yield* mustShowAll(subject, "by another name afterwards", other);
        },
      },
    ],
  },
  {
    id: "RV-07",
    level: "model-only",
    owner: ["core"],
    rule: "zap_vma_ptes MUST do nothing, and say nothing, unless the area is VM_PFNMAP and the range lies inside it",
    source: "mm/memory.c zap_vma_ptes",
    cases: [
      {
        when: "",
        schedule: "sequential",
        *program({ subject }) {
          const address = yield* mapTouched(subject, 0);
          const object = yield* objectAt(address);
          const before = yield* countEntries(object);
          const zap = function* (pages: number): Steps<boolean> {
            return yield* user.kernel(function* ({ kernel, thread }) {
              const area = areaAt(thread, address);
              const end = (area.start + pages * subject.pageSize) as typeof area.end;
              yield* kernel.mappings.zapVma(area, area.start, end);
              return (area.flags & VM_PFNMAP) !== 0;
            });
          };
          yield* zap(subject.pages + 1);
          mustBe(
            "the number of entries after a zap past the end of the area",
            yield* countEntries(object),
            before,
          );
          const isPfnArea = yield* zap(subject.pages);
          mustBe(
            `the number of entries after a zap of an area that is ${isPfnArea ? "" : "not "}VM_PFNMAP`,
            yield* countEntries(object),
            isPfnArea ? 0 : before,
          );
        },
      },
    ],
  },
  {
    id: "RV-08",
    level: "required",
    owner: ["driver", "strategy"],
    rule: "areas are found by vm_pgoff: where that was rewritten, as a private remap does, the object MUST be taken away from them all the same",
    source:
      "mm/memory.c unmap_mapping_range_tree, remap_pfn_range_notrack (vm_pgoff of a private area becomes the frame number)",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: (stage) => hasNoGate(stage) ?? takesNoCopies(stage),
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ sharing: "private" }));
          yield* mustShowAll(subject, "before", address);
          yield* gateOf(subject).close();
          const touches = yield* mustHoldOff(subject, "a private mapping", address);
          yield* gateOf(subject).open();
          for (const { actor } of touches) yield* user.join(actor);
          yield* mustShowAll(subject, "afterwards", address);
        },
      },
      {
        when: "a piece of it that has moved",
        schedule: "sequential",
        excluded: hasNoGate,
        *program({ subject }) {
          const { pageSize } = subject;
          const pages = presentPages(subject);
          const page = pages.at(-1) ?? 0;
          const address = yield* mapTouched(subject, 0);
          const newAddress = yield* succeed(
            "mmap of a place to move to",
            user.mmap({ length: pageSize, protection: 1, sharing: "private" }),
          );
          const size = { oldLength: pageSize, newLength: pageSize };
          const from = address + page * pageSize;
          yield* succeed("mremap", user.mremap({ address: from, ...size, moving: "may-move", newAddress }));
          const moment = new Moment();
          yield* moment.touch(subject, newAddress, page);
          yield* moment.close(subject);
          const child = yield* user.thread(() => moment.touch(subject, newAddress, page));
          yield* user.settle();
          yield* moment.open(subject);
          yield* user.join(child);
          mustBe("the moved piece afterwards", yield* user.load(newAddress), subject.markOf(page));
        },
      },
    ],
  },
];
