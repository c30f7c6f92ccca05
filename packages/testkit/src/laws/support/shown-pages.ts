import { mustBe, SIGBUS, SIGSEGV_MAPERR } from "../../program/expect.ts";
import type { Steps } from "../../program/operation.ts";
import { user } from "../../program/user.ts";
import type { Subject } from "../../subject/subject.ts";

/** A piece of a mapping: `pages` pages from `address` on, which show the object from page `first` on. */
export interface Piece {
  readonly address: number;
  readonly first: number;
  readonly pages: number;
}

/** Every page of a piece must show the object's page that belongs there; holes are left alone. */
export function* mustShow(subject: Subject, what: string, { address, first, pages }: Piece): Steps<void> {
  for (let page = first; page < first + pages; page++) {
    if (subject.holes.includes(page)) continue;
    const seen = yield* subject.reach(address + (page - first) * subject.pageSize);
    mustBe(`${what}: object page ${page}`, seen, subject.markOf(page));
  }
}

/**
 * A piece whose entries are not there must show the object where a touch makes them. Where mmap alone makes them nothing brings
 * them back, and a touch is SIGBUS (RE-10).
 */
export function* mustShowAgain(subject: Subject, what: string, piece: Piece): Steps<void> {
  if (subject.supports.populate === "lazy") {
    yield* mustShow(subject, what, piece);
    return;
  }
  for (let page = piece.first; page < piece.first + piece.pages; page++) {
    const seen = yield* subject.reach(piece.address + (page - piece.first) * subject.pageSize);
    mustBe(`${what}: object page ${page}, which only mmap could show`, seen, SIGBUS);
  }
}

/** Nothing may be mapped at any of `pages` pages from `address` on. */
export function* mustBeUnmapped(subject: Subject, what: string, address: number, pages: number): Steps<void> {
  for (let page = 0; page < pages; page++) {
    const seen = yield* user.load(address + page * subject.pageSize);
    mustBe(`${what}: a load from page ${page} of it`, seen, SIGSEGV_MAPERR);
  }
}
