import { describe, expect, test } from "vitest";
import * as flags from "../../src/contract/area-flags.ts";
import { ContractViolation, InvariantBroken, invariant } from "../../src/contract/contract-violation.ts";
import { EAGAIN, EINVAL, ERESTARTSYS, errnoName, isError, MAX_ERRNO } from "../../src/contract/errno.ts";
import * as contract from "../../src/contract/index.ts";
import {
  checkOutcome,
  mapPage,
  mapPfn,
  oom,
  retryNow,
  retryWhenOpen,
  sigbus,
} from "../../src/contract/outcome.ts";
import { isTrap, signalNumbers, trapCodeNumbers } from "../../src/contract/signals.ts";
import type { Page, Pfn, UserAddress } from "../../src/contract/units.ts";

describe("the flags of an area", () => {
  test("are named as smaps names them, in its order", () => {
    const all = [
      flags.VM_READ,
      flags.VM_WRITE,
      flags.VM_EXEC,
      flags.VM_SHARED,
      flags.VM_MAYREAD,
      flags.VM_MAYWRITE,
      flags.VM_MAYEXEC,
      flags.VM_MAYSHARE,
      flags.VM_PFNMAP,
      flags.VM_LOCKED,
      flags.VM_IO,
      flags.VM_DONTCOPY,
      flags.VM_DONTEXPAND,
      flags.VM_ACCOUNT,
      flags.VM_DONTDUMP,
      flags.VM_MIXEDMAP,
    ].reduce((sum, bit) => sum | bit, 0);
    expect(flags.areaFlagNames(all).join(" ")).toBe("rd wr ex sh mr mw me ms pf lo io dc de ac dd mm");
    expect(flags.areaFlagNames(0)).toEqual([]);
  });

  test("say which areas are copied on write: not shared, and writable now or later", () => {
    expect(flags.isCopyOnWrite(flags.VM_MAYWRITE)).toBe(true);
    expect(flags.isCopyOnWrite(flags.VM_MAYWRITE | flags.VM_SHARED)).toBe(false);
    expect(flags.isCopyOnWrite(flags.VM_WRITE)).toBe(false);
    expect(flags.isCopyOnWrite(0)).toBe(false);
  });

  test("have their MAY bits four places higher", () => {
    expect(flags.VM_ACCESS_FLAGS << flags.MAY_SHIFT).toBe(
      flags.VM_MAYREAD | flags.VM_MAYWRITE | flags.VM_MAYEXEC,
    );
  });
});

describe("an error number", () => {
  test("has a name, of either sign", () => {
    expect(errnoName(EINVAL)).toBe("EINVAL");
    expect(errnoName(-EAGAIN)).toBe("EAGAIN");
    expect(errnoName(ERESTARTSYS)).toBe("ERESTARTSYS");
    expect(errnoName(-1234)).toBe("errno 1234");
  });

  test("is one when it lies in [-4095, -1]", () => {
    expect([-1, -EINVAL, -MAX_ERRNO].map(isError)).toEqual([true, true, true]);
    expect([0, 1, -MAX_ERRNO - 1, 2 ** 40].map(isError)).toEqual([false, false, false, false]);
  });

  test("is there by name for every constant of the contract", () => {
    const constants = Object.entries(contract).filter(([name]) => /^E[A-Z]+$/.test(name));
    expect(constants.length).toBeGreaterThan(20);
    for (const [name, value] of constants) {
      expect(errnoName(value as number)).toBe(name === "EWOULDBLOCK" ? "EAGAIN" : name);
    }
  });
});

describe("the form of a fault outcome", () => {
  test("is right for every outcome that the contract can build", () => {
    const outcomes = [
      mapPage(1 as Page),
      mapPfn(0 as Pfn),
      sigbus,
      oom,
      contract.sigsegv,
      contract.hwpoison,
      contract.installed,
    ];
    for (const outcome of outcomes) expect(checkOutcome(outcome, false)).toBeUndefined();
    expect(checkOutcome(retryNow, true)).toBeUndefined();
    expect(checkOutcome(retryWhenOpen, true)).toBeUndefined();
  });

  test.each([
    [undefined, /^answered undefined instead of a fault outcome/],
    [null, /^answered null instead of/],
    [-14, /^answered -14 instead of/],
    [{}, /^answered \[object Object\] instead of/],
    [{ kind: 7 }, /^answered kind 7; the kinds are page, pfn, /],
    [{ kind: "pages" }, /^answered kind pages; the kinds are /],
    [{ kind: "page" }, /^answered kind page with undefined where a frame number was expected$/],
    [{ kind: "pfn", pfn: -1 }, /^answered kind pfn with -1 where/],
    [{ kind: "pfn", pfn: 1.5 }, /^answered kind pfn with 1.5 where/],
    [{ kind: "page", page: 2 ** 60 }, /where a frame number was expected$/],
  ])("says what is wrong with %j", (outcome, message) => {
    expect(checkOutcome(outcome, true)).toMatch(message);
  });

  test("says when retry is not allowed", () => {
    expect(checkOutcome(retryNow, false)).toBe("answered retry to a fault that does not allow it");
  });
});

describe("signals", () => {
  test("have Linux's numbers", () => {
    expect(signalNumbers).toEqual({ SIGKILL: 9, SIGBUS: 7, SIGUSR1: 10, SIGSEGV: 11, SIGTERM: 15 });
    expect(trapCodeNumbers).toEqual({ SEGV_MAPERR: 1, SEGV_ACCERR: 2, BUS_ADRERR: 2, BUS_MCEERR_AR: 4 });
  });

  test("are told from values", () => {
    expect(isTrap({ signal: "SIGBUS", code: "BUS_ADRERR", address: 0 as UserAddress })).toBe(true);
    for (const value of [0, undefined, null, "SIGBUS", { signal: "SIGBUS" }, new Uint8Array(2)]) {
      expect(isTrap(value)).toBe(false);
    }
  });
});

describe("a broken contract", () => {
  test("is said by plugin, hook and what was wrong, with its cause", () => {
    const cause = new Error("inner");
    const violation = new ContractViolation("lazy", "nopage", "threw Error: inner", cause);
    expect(violation.message).toBe("lazy: nopage threw Error: inner");
    expect(violation).toMatchObject({ name: "ContractViolation", plugin: "lazy", hook: "nopage", cause });
    expect("cause" in new ContractViolation("lazy", "nopage", "answered 3", undefined)).toBe(false);
  });

  test("of our own is an invariant", () => {
    expect(() => invariant(true, "fine")).not.toThrow();
    expect(() => invariant(0, "two and two make four")).toThrow(new InvariantBroken("two and two make four"));
  });
});

describe("declaring a plugin", () => {
  test("hands it back as it is", () => {
    const plugin = { name: "x" } as never;
    expect(contract.defineStrategy(plugin)).toBe(plugin);
    expect(contract.definePinningPolicy(plugin)).toBe(plugin);
    expect(contract.defineDriver(plugin)).toBe(plugin);
  });
});
