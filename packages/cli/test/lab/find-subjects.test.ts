import { builtInSubjects, twins } from "@nopage/linux-lab";
import { describe, expect, test } from "vitest";
import { findSubjects } from "../../src/lab/find-subjects.ts";

async function named(...words: readonly string[]) {
  const { subjects, problems } = await findSubjects(words, "/");
  expect(problems).toEqual([]);
  return subjects.map(({ name }) => name);
}

describe("the subjects that words name", () => {
  test("`all` names every subject that the lab brings, each of which has a name of its own", async () => {
    const names = await named("all");
    expect(names).toEqual(builtInSubjects.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(["memfd", "packet", "bar", "vgem", "lazy-nopage.pages"]));
  });

  test("no words name the twins, and nothing of a stock kernel", async () => {
    expect(await named()).toEqual(twins.map(({ name }) => name));
  });

  test("a strategy's name stands for its twins on every kind of memory, and for nobody else", async () => {
    expect(await named("lazy-nopage")).toEqual([
      "lazy-nopage.window",
      "lazy-nopage.pages",
      "lazy-nopage.holes",
    ]);
    expect(await named("pfn-nopage.window")).toEqual(["pfn-nopage.window"]);
    // A mirror is one subject, as is a pinning policy.
    expect(await named("notifier-mirror", "longterm")).toEqual(["notifier-mirror", "longterm"]);
  });

  test("what is named twice is run once", async () => {
    expect(await named("eager-remap.coherent", "eager-remap")).toEqual([
      "eager-remap.coherent",
      "eager-remap.window",
    ]);
  });

  test.each([
    ["lazy-nopge", "lazy-nopage"],
    ["lazy-nopage.page", "lazy-nopage.pages"],
    ["page-lookup.hole", "page-lookup.holes"],
    ["al", "all"],
    ["memdf", "memfd"],
    ["lazy-nopage.", "lazy-nopage.window"],
  ])("%s is nothing, and %s the nearest that is", async (word, nearest) => {
    const { subjects, problems } = await findSubjects([word], "/");
    expect(subjects).toEqual([]);
    expect(problems).toMatchObject([{ path: "--subject", value: word, nearest }]);
    expect(problems[0]?.expected).toMatch(/^the name of a subject or of a strategy \(one of "eager-remap", /);
  });
});
