import { setFlagsFromString } from "node:v8";

/**
 * Tells the JavaScript engine not to guess how long objects live. A search makes thousands of machines a second, each of
 * which is dropped with all that is in it. V8 takes the first of them, which outlive a collection as long as the young
 * generation is small, for a sign that such objects live long, and makes later ones among the old objects at once; there
 * they keep alive whatever they lead to, so that every collection copies most of what there is, and a run costs several
 * times as much.
 */
export function expectShortLives(): void {
  setFlagsFromString("--no-allocation-site-pretenuring");
}
