import { defineStrategy } from "@nopage/core";
import { describe, expect, it } from "vitest";
import { plainPages } from "#src/model/plain-pages";
import { runLaws } from "#src/run/run-laws";

/** Claims that a mapping of it cannot grow, which is not true. */
const liar = defineStrategy({
  ...plainPages,
  name: "liar",
  supports: { ...plainPages.supports, mremapGrow: false },
});

const geometries = ["x86-64", "i386"] as const;

describe("a listed exception", () => {
  it("MUST skip the law that it names wherever that is broken, with its reason", () => {
    const exceptions = [{ law: "LC-14", reason: "it may grow after all" }];
    const results = runLaws(liar, { laws: ["LC-14"], geometries, exceptions });
    expect(results.map(({ status, reason }) => `${status}: ${reason}`)).toEqual([
      "skip: excepted: it may grow after all",
      "skip: excepted: it may grow after all",
    ]);
  });

  it("MUST fail on every geometry when the law is broken on none", () => {
    const exceptions = [{ law: "LK-02", reason: "nobody knows" }];
    const results = runLaws(liar, { laws: ["LK-02"], geometries, exceptions });
    const needless = "LK-02 is excepted, because nobody knows; but it is not broken";
    expect(results.map(({ status, reason }) => `${status}: ${reason}`)).toEqual([
      `fail: ${needless}`,
      `fail: ${needless}`,
    ]);
  });

  it("for one geometry MUST leave the law broken on the others, and fail where it is not broken", () => {
    const exceptions = [{ law: "LC-14", reason: "it may grow after all", geometries: ["i386"] as const }];
    const results = runLaws(liar, { laws: ["LC-14"], geometries, exceptions });
    expect(results.map(({ geometry, status }) => `${geometry}: ${status}`)).toEqual([
      "x86-64: fail",
      "i386: skip",
    ]);
    const needless = [{ law: "LK-02", reason: "nobody knows", geometries: ["i386"] as const }];
    const kept = runLaws(liar, { laws: ["LK-02"], geometries, exceptions: needless });
    expect(kept.map(({ geometry, status }) => `${geometry}: ${status}`)).toEqual([
      "x86-64: pass",
      "i386: fail",
    ]);
  });

  it("MUST name a law, give a reason, and be there once; all that is wrong is told at once", () => {
    const exceptions = [
      { law: "LK-022", reason: "a slip" },
      { law: "LK-02", reason: " " },
      { law: "LC-14", reason: "once" },
      { law: "LC-14", reason: "twice" },
    ];
    expect(() => runLaws(liar, { exceptions })).toThrow(
      /there is no law "LK-022"; nearest is LK-02; the exception for LK-02 gives no reason; there are two exceptions for LC-14/,
    );
  });
});
