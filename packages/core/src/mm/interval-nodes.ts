import { invariant } from "../contract/contract-violation.ts";

/** Entries that a node holds at most; found by measurement. */
export const FULL = 32;
/** Entries that there is room for at first. */
const A_FEW = 4;
/** No node. */
export const NONE = -1;

// What a tree without items has, of which a machine has many.
const noFloats = new Float64Array(0);
const noInts = new Int32Array(0);

/**
 * The nodes of one interval tree, packed: entry `index` of a node is at `node * FULL + index` of each array, so that a
 * node is searched in a few neighbouring cache lines and nothing in it is an object of its own.
 */
export class IntervalNodes {
  /** Of a leaf, where each item begins; of a branch, where the first item below each child begins. Ascending. */
  firsts = noFloats;
  /** Of a leaf, where each item ends; of a branch, the largest end below each child. */
  reaches = noFloats;
  /** Of a leaf, the items; of a branch, its children. */
  refs = noInts;
  /** By node: the entries in use. */
  counts = noInts;
  /** By node: the levels below it, 0 for a leaf. */
  heights = noInts;
  /** By node: the branch above it, or `NONE`. */
  parents = noInts;
  /** By item: the leaf that it is in. */
  homes = noInts;
  readonly #free: number[] = [];
  #next = 0;

  /** An empty node. */
  take(height: number): number {
    const node = this.#free.pop() ?? this.#next++;
    if (node >= this.counts.length) this.#grow();
    this.counts[node] = 0;
    this.heights[node] = height;
    this.parents[node] = NONE;
    return node;
  }

  release(node: number): void {
    this.#free.push(node);
  }

  /** How many entries of a node begin at or before `first`. */
  countUpTo(node: number, first: number): number {
    const { firsts } = this;
    const base = node * FULL;
    let low = base;
    let high = base + this.counts[node];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (firsts[middle] <= first) low = middle + 1;
      else high = middle;
    }
    return low - base;
  }

  /**
   * Which entry of a node a child or an item is.
   *
   * @throws InvariantBroken when it is not in there
   */
  indexOf(node: number, ref: number): number {
    const { refs } = this;
    const base = node * FULL;
    // From the end, where items that are added in ascending order are.
    let at = base + this.counts[node] - 1;
    while (at >= base && refs[at] !== ref) at--;
    invariant(at >= base, "an entry of an interval tree is in the node where it is looked for");
    return at - base;
  }

  /** The largest end in or below a node that is not empty. */
  reachOf(node: number): number {
    const { reaches } = this;
    const base = node * FULL;
    let reach = reaches[base];
    for (let at = base + 1; at < base + this.counts[node]; at++) if (reaches[at] > reach) reach = reaches[at];
    return reach;
  }

  /** Adds an entry to a node that has room. */
  add(node: number, index: number, first: number, reach: number, ref: number): void {
    const place = node * FULL + index;
    if (node * FULL + this.counts[node] >= this.refs.length) this.#growTo(1);
    const { firsts, reaches, refs } = this;
    for (let at = node * FULL + this.counts[node]++; at > place; at--) {
      firsts[at] = firsts[at - 1];
      reaches[at] = reaches[at - 1];
      refs[at] = refs[at - 1];
    }
    firsts[place] = first;
    reaches[place] = reach;
    refs[place] = ref;
    this.#adopt(node, ref);
  }

  /** Takes an entry out of a node. */
  drop(node: number, index: number): void {
    const { firsts, reaches, refs } = this;
    const end = node * FULL + --this.counts[node];
    for (let at = node * FULL + index; at < end; at++) {
      firsts[at] = firsts[at + 1];
      reaches[at] = reaches[at + 1];
      refs[at] = refs[at + 1];
    }
  }

  /** Moves what a node holds from entry `index` on to the end of another, which has room for it. */
  move(node: number, index: number, to: number): void {
    const { firsts, reaches, refs } = this;
    const end = node * FULL + this.counts[node];
    let at = to * FULL + this.counts[to];
    for (let from = node * FULL + index; from < end; from++, at++) {
      firsts[at] = firsts[from];
      reaches[at] = reaches[from];
      refs[at] = refs[from];
      this.#adopt(to, refs[from]);
    }
    this.counts[to] = at - to * FULL;
    this.counts[node] = index;
  }

  /** Makes what a branch says of a child true; false when it was. */
  describe(parent: number, child: number): boolean {
    const at = parent * FULL + this.indexOf(parent, child);
    const first = this.firsts[child * FULL];
    const reach = this.reachOf(child);
    if (this.firsts[at] === first && this.reaches[at] === reach) return false;
    this.firsts[at] = first;
    this.reaches[at] = reach;
    return true;
  }

  /** Lets all branches above a node know of an entry that was added to it. */
  widenUpwards(node: number, first: number, reach: number): void {
    const { firsts, reaches, parents } = this;
    for (let child = node; parents[child] !== NONE; child = parents[child]) {
      const at = parents[child] * FULL + this.indexOf(parents[child], child);
      if (firsts[at] <= first && reaches[at] >= reach) return;
      if (firsts[at] > first) firsts[at] = first;
      if (reaches[at] < reach) reaches[at] = reach;
    }
  }

  /** Makes what all branches above a node say of it true. */
  describeUpwards(node: number): void {
    let child = node;
    let parent = this.parents[child];
    while (parent !== NONE && this.describe(parent, child)) {
      child = parent;
      parent = this.parents[child];
    }
  }

  #adopt(node: number, ref: number): void {
    if (this.heights[node] > 0) {
      this.parents[ref] = node;
      return;
    }
    if (ref >= this.homes.length) this.homes = larger(this.homes, new Int32Array(Math.max(FULL, ref * 2)));
    this.homes[ref] = node;
  }

  /**
   * Most trees have one node, with few entries, and a small machine is built often: so the first leaf begins with room for a few,
   * in arrays so small that they need no buffer apart.
   */
  #begin(): void {
    this.firsts = new Float64Array(A_FEW);
    this.reaches = new Float64Array(A_FEW);
    this.refs = new Int32Array(A_FEW);
    this.homes = new Int32Array(A_FEW);
    this.counts = new Int32Array(1);
    this.heights = new Int32Array(1);
    this.parents = new Int32Array(1);
  }

  #grow(): void {
    if (this.counts.length === 0) {
      this.#begin();
      return;
    }
    const nodes = this.counts.length * 2;
    this.#growTo(nodes);
    this.counts = larger(this.counts, new Int32Array(nodes));
    this.heights = larger(this.heights, new Int32Array(nodes));
    this.parents = larger(this.parents, new Int32Array(nodes));
  }

  /** Makes room for the entries of so many nodes. */
  #growTo(nodes: number): void {
    this.firsts = larger(this.firsts, new Float64Array(nodes * FULL));
    this.reaches = larger(this.reaches, new Float64Array(nodes * FULL));
    this.refs = larger(this.refs, new Int32Array(nodes * FULL));
  }
}

function larger<A extends Float64Array | Int32Array>(from: A, to: A): A {
  to.set(from);
  return to;
}
