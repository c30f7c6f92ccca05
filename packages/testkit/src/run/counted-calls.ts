import type { LawCase } from "../laws/law.ts";
import type { Steps } from "../program/operation.ts";
import { operationTally } from "../program/operation-tally.ts";
import { withCalls } from "../program/with-calls.ts";

/**
 * The same program, of which is told when it makes calls of what is tried and forgets the star of their `yield*`, as is told of
 * its operations anyway. It takes some time: a program that makes them in one order makes them in all.
 */
export function withCountedCalls(lawCase: LawCase): LawCase {
  return {
    ...lawCase,
    program({ subject, pinner, ...stage }) {
      const counted = <T extends object>(object: T, name: string): T => withCalls(object, name, countedCall);
      return lawCase.program({
        ...stage,
        subject: counted(subject, "subject"),
        pinner: pinner === undefined ? undefined : counted(pinner, "pinner"),
      });
    },
  };
}

function countedCall(call: string, _given: readonly unknown[], steps: Steps<unknown>): Steps<unknown> {
  operationTally.make(call);
  return begun(call, steps);
}

function* begun(call: string, steps: Steps<unknown>): Steps<unknown> {
  operationTally.begin(call);
  return yield* steps;
}
