import {
  EAGAIN,
  EFAULT,
  EINTR,
  EINVAL,
  ENODEV,
  ENOSPC,
  ENXIO,
  isTrap,
  type MappingStrategy,
  VM_READ,
} from "@nopage/core";
import { eagerRemap } from "@nopage/eager-remap";
import { lazyNopage } from "@nopage/lazy-nopage";
import { pageLookup } from "@nopage/page-lookup";
import { pfnNopage } from "@nopage/pfn-nopage";
import { describe, expect, it } from "vitest";
import { exploreLaw } from "#src/explore/explore-law";
import type { LawCase } from "#src/laws/law";
import { type Contender, contendersOf } from "#src/model/contender";
import { ModelWorld } from "#src/model/model-world";
import { mustBe, succeed } from "#src/program/expect";
import { user } from "#src/program/user";
import type { Subject } from "#src/subject/subject";

const contenders = [eagerRemap, lazyNopage, pageLookup, pfnNopage].flatMap((strategy: MappingStrategy) =>
  contendersOf(strategy).map((on) => [on.name, on] as const),
);

function run(on: Contender, program: LawCase["program"], more: Partial<LawCase> = {}): void {
  const lawCase: LawCase = { when: "", schedule: "sequential", program, ...more };
  expect(new ModelWorld(on, {}).run(lawCase).problems).toEqual([]);
}

function contenderOf(name: string): Contender {
  const found = contenders.find(([known]) => known === name);
  if (found === undefined) throw new Error(`there is no contender ${name}`);
  return found[1];
}

const aPage = ({ pageSize }: Subject) =>
  user.mmap({ length: pageSize, protection: 3, sharing: "private", pgoff: 0 });

describe.each(contenders)("read(2) and write(2) of a subject on the model: %s", (_name, on) => {
  it("MUST reach what a mapping shows, from the file's position on and no further than the page", () => {
    run(on, function* ({ subject }) {
      const { pageSize, pages, holes } = subject;
      const buffer = yield* succeed("mmap", aPage(subject));
      const address = yield* succeed("mmap", subject.map());
      const file = yield* succeed("open", subject.open());
      for (let page = 0; page < pages && !holes.includes(page); page++) {
        mustBe("the first read", yield* user.read(file, buffer, 8), 8);
        mustBe("what it reads", yield* user.load(buffer), subject.markOf(page));
        yield* user.store(buffer, 7 + page);
        mustBe("a write", yield* user.write(file, buffer, 4), 4);
        mustBe("what the mapping shows of it", yield* user.load(address + page * pageSize + 8), 7 + page);
        mustBe("the read of the rest", yield* user.read(file, buffer, 2 * pageSize), pageSize - 12);
      }
      if (holes.length > 0) mustBe("a read in a hole", yield* user.read(file, buffer, 8), -ENXIO);
      else mustBe("a read at the end", yield* user.read(file, buffer, 8), 0);
      mustBe("a write there", yield* user.write(file, buffer, 8), holes.length > 0 ? -ENXIO : -ENOSPC);
      yield* user.munmap(address, pages * pageSize);
    });
  });

  it("MUST answer EFAULT for a buffer that cannot be reached, and not move on", () => {
    run(on, function* ({ subject }) {
      const file = yield* succeed("open", subject.open());
      const request = { length: subject.pageSize, protection: VM_READ, sharing: "private" } as const;
      const readOnly = yield* succeed("mmap", user.mmap(request));
      mustBe("a read", yield* user.read(file, readOnly, 4), -EFAULT);
      mustBe("a write", yield* user.write(file, subject.pageSize, 4), -EFAULT);
      const buffer = yield* succeed("mmap", aPage(subject));
      yield* user.read(file, buffer, 4);
      mustBe("what is read first", yield* user.load(buffer), subject.markOf(0));
    });
  });

  it("MUST wait while the object is taken away, end with a signal, and find no device once it is gone", () => {
    run(on, function* ({ subject }) {
      const buffer = yield* succeed("mmap", aPage(subject));
      const file = yield* succeed("open", subject.open());
      yield* subject.gate?.close() ?? [];
      const answers: number[] = [];
      const interrupted = yield* user.thread(function* () {
        yield* user.countSignal("SIGUSR1");
        answers.push(yield* user.read(file, buffer, 4));
      });
      yield* user.settle();
      mustBe("who reads", yield* user.stateOf(interrupted), "blocked");
      yield* user.kill(interrupted, "SIGUSR1");
      yield* user.join(interrupted);
      const writer = yield* user.thread(function* () {
        answers.push(yield* user.write(file, buffer, 4));
      });
      yield* user.settle();
      mustBe("who writes", yield* user.stateOf(writer), "blocked");
      yield* subject.remove?.() ?? [];
      yield* user.join(writer);
      expect(answers).toEqual([-EINTR, -ENODEV]);
      yield* subject.gate?.open() ?? [];
    });
  });

  it("MUST see nothing of a transfer, whenever it begins and ends", () => {
    const found = exploreLaw(
      {
        when: "",
        schedule: "racy",
        *program({ subject }) {
          const buffer = yield* succeed("mmap", aPage(subject));
          const file = yield* succeed("open", subject.open());
          yield* user.store(buffer, 0);
          const reader = yield* user.thread(function* () {
            mustBe("a read", yield* user.read(file, buffer, 4), 4);
            const seen = yield* user.load(buffer);
            if (!isTrap(seen)) mustBe("what is read", seen, subject.markOf(0));
          });
          yield* subject.gate?.close() ?? [];
          yield* subject.gate?.open() ?? [];
          yield* user.join(reader);
        },
      },
      on,
      "x86-64",
    );
    expect(found).toMatchObject({ complete: true, counterexamples: [] });
    expect(found.executions).toBeGreaterThan(1);
  });
});

describe("read(2) and write(2) of a subject on the model", () => {
  it("of registers MUST move whole ones", () => {
    run(contenderOf("pfn-nopage on pfn-run"), function* ({ subject }) {
      const buffer = yield* succeed("mmap", aPage(subject));
      const file = yield* succeed("open", subject.open());
      mustBe("a read of a part", yield* user.read(file, buffer, 3), -EINVAL);
      mustBe("a write of a part", yield* user.write(file, buffer, 6), -EINVAL);
    });
  });

  it("MUST answer EAGAIN in place of waiting with O_NONBLOCK", () => {
    run(contenderOf("lazy-nopage on page-array"), function* ({ subject }) {
      const buffer = yield* succeed("mmap", aPage(subject));
      const request = { path: "/dev/subject", mode: "read-write", blocking: "nonblocking" } as const;
      const file = yield* succeed("open", user.open(request));
      yield* subject.gate?.close() ?? [];
      mustBe("a read", yield* user.read(file, buffer, 4), -EAGAIN);
      mustBe("a write", yield* user.write(file, buffer, 4), -EAGAIN);
      yield* subject.gate?.open() ?? [];
      mustBe("a read afterwards", yield* user.read(file, buffer, 4), 4);
    });
  });

  it("MUST find the end at once when the owner has given the memory back", () => {
    const program: LawCase["program"] = function* ({ subject }) {
      const buffer = yield* succeed("mmap", aPage(subject));
      const file = yield* succeed("open", subject.open());
      yield* subject.free?.() ?? [];
      mustBe("a read", yield* user.read(file, buffer, 4), 0);
      mustBe("a write", yield* user.write(file, buffer, 4), -ENOSPC);
    };
    // What has been given back is not there afterwards: nothing is compared with how it was.
    run(contenderOf("page-lookup on vmalloc"), program, { provokes: [] });
  });
});
