import { EAGAIN } from "@nopage/core";
import { must, mustBe, mustFail, SIGBUS, succeed } from "../program/expect.ts";
import type { Steps } from "../program/operation.ts";
import { user } from "../program/user.ts";
import type { AnyLaw, Stage } from "./law.ts";

/** M. Modules, and devices that go. */
export const moduleLaws: readonly AnyLaw[] = [
  {
    id: "MO-01",
    level: "required",
    owner: ["core", "driver"],
    rule: "while a mapping lives the module behind it MUST NOT be unloaded, also after its file was closed: -EAGAIN",
    source: "fops_get; remove_vma; observed with usbmon",
    cases: [
      {
        when: "a mapping whose file is closed",
        schedule: "sequential",
        excluded: hasNoModule,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          mustFail("unloading the driver of a live mapping", yield* unload(subject.module), EAGAIN);
          mustBe("page 0 after that", yield* subject.reach(address), subject.markOf(0));
        },
      },
      {
        when: "the forked child's mapping, once the parent's is gone",
        schedule: "sequential",
        excluded: hasNoModule,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          const child = yield* user.fork(function* () {
            yield* user.sleep(1000);
            mustFail("unloading the driver of the child's mapping", yield* unload(subject.module), EAGAIN);
          });
          yield* user.munmap(address, subject.pages * subject.pageSize);
          if (typeof child === "object") yield* user.join(child);
        },
      },
      {
        when: "the rest of a mapping",
        schedule: "sequential",
        excluded: hasNoModule,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map());
          yield* user.munmap(address, (subject.pages - 1) * subject.pageSize);
          mustFail("unloading the driver of the rest of a mapping", yield* unload(subject.module), EAGAIN);
        },
      },
    ],
  },
  {
    id: "MO-02",
    level: "required",
    owner: ["core"],
    rule: "once the last mapping is gone and the last file closed, the module MUST be unloadable",
    source: "remove_vma; observed with usbmon",
    cases: [
      {
        when: "",
        schedule: "sequential",
        excluded: hasNoModule,
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          yield* subject.reach(address);
          const child = yield* user.fork(function* () {});
          if (typeof child === "object") yield* user.join(child);
          yield* user.munmap(address, pageSize);
          yield* user.munmap(address + pageSize, (pages - 1) * pageSize);
          mustBe("unloading the driver after the last munmap", yield* unload(subject.module), 0);
          must((yield* subject.open()) < 0, "a device whose driver is unloaded can be opened");
        },
      },
      {
        when: "after a mapping that failed",
        schedule: "sequential",
        excluded: hasNoModule,
        *program({ subject }) {
          must((yield* subject.map({ pages: subject.pages + 1 })) < 0, "more than the object can be mapped");
          mustBe("unloading the driver after a mapping that failed", yield* unload(subject.module), 0);
        },
      },
    ],
  },
  {
    id: "MO-03",
    level: "required",
    owner: ["driver"],
    rule: "the file operations of a device that can be mapped MUST name their module: an open file alone keeps it loaded, and without a name nothing does",
    source: "fops_get; CVE fix 610ad5064cb9 of uio",
    cases: [
      {
        when: "an open file",
        schedule: "sequential",
        excluded: hasNoModule,
        *program({ subject }) {
          const descriptor = yield* succeed("open", subject.open());
          mustFail("unloading the driver of an open file", yield* unload(subject.module), EAGAIN);
          yield* user.close(descriptor);
          mustBe("unloading it once the file is closed", yield* unload(subject.module), 0);
        },
      },
      {
        when: "a file that names none",
        schedule: "sequential",
        executor: "model",
        kinds: "one",
        *program() {
          const path = "/dev/nobodys";
          const registered = yield* user.kernel(function* ({ machine }) {
            const inode = machine.devices.register(path, { name: path, owner: undefined });
            const module = machine.devices.loadModule("nobody's");
            return typeof inode === "number" || typeof module === "number" ? "no room" : "registered";
          });
          mustBe("a device", registered, "registered");
          const request = { path, mode: "read-write", blocking: "blocking" } as const;
          const descriptor = yield* succeed("open", user.open(request));
          mustBe("unloading a module that no file names", yield* user.deleteModule("nobody's"), 0);
          yield* user.close(descriptor);
          yield* user.kernel(function* ({ machine }) {
            machine.devices.unregister(path);
          });
        },
      },
    ],
  },
  {
    id: "MO-04",
    level: "required",
    owner: ["strategy", "driver"],
    rule: "when a device goes its driver stays: mapped pages MUST be taken away, every touch from then on MUST end in SIGBUS, and nothing may be mapped any more",
    source: "uio_vma_fault; fixes 57c5f4df0a5a and a93e7b331568 of uio",
    cases: [
      {
        when: "pages that were touched and pages that were not",
        schedule: "sequential",
        excluded: cannotGo,
        *program({ subject }) {
          const { pageSize, pages } = subject;
          const address = yield* succeed("mmap", subject.map());
          mustBe("page 0", yield* subject.reach(address), subject.markOf(0));
          if (subject.remove !== undefined) yield* subject.remove();
          for (let page = 0; page < pages; page++) {
            mustBe(`a load from page ${page}`, yield* user.load(address + page * pageSize), SIGBUS);
            mustBe(`a store to page ${page}`, yield* user.store(address + page * pageSize, 1), SIGBUS);
          }
          must((yield* subject.map()) < 0, "a device that is gone can be mapped");
          mustBe("munmap", yield* user.munmap(address, pages * pageSize), 0);
        },
      },
      {
        when: "somebody touches it meanwhile",
        schedule: "racy",
        excluded: cannotGo,
        *program({ subject }) {
          const address = yield* succeed("mmap", subject.map({ pages: 1 }));
          const touching = yield* user.thread(function* () {
            const seen = yield* user.load(address);
            if (typeof seen !== "number") mustBe("a load while the device goes", seen, SIGBUS);
            else mustBe("a load while the device goes", seen, subject.markOf(0));
          });
          if (subject.remove !== undefined) yield* subject.remove();
          mustBe("a load once the device is gone", yield* user.load(address), SIGBUS);
          yield* user.join(touching);
          mustBe("a later load", yield* user.load(address), SIGBUS);
        },
      },
    ],
  },
  {
    id: "MO-05",
    level: "untested",
    owner: ["driver"],
    rule: "a module that frees followers asynchronously MUST wait for them in its exit function",
    source: "mmu_notifier_synchronize",
    reason:
      "the model has no asynchronous form of unregistering (mmu_notifier_put): unregisterNotifier itself waits for running callbacks and a grace period, which MN-11 shows, so that nothing is left to wait for at unload",
  },
];

function hasNoModule({ subject }: Stage): string | undefined {
  return subject.module === undefined ? "no module stands behind it" : undefined;
}

function cannotGo({ subject }: Stage): string | undefined {
  return subject.remove === undefined ? "its device cannot go" : undefined;
}

function* unload(module: string | undefined): Steps<number> {
  return module === undefined ? 0 : yield* user.deleteModule(module);
}
