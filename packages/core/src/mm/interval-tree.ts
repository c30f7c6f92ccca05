import { FULL, IntervalNodes, NONE } from "./interval-nodes.ts";

/** Entries that a node other than the root holds at least: with fewer it takes of a neighbour, or is joined with it. */
const FEW = FULL / 4;

/**
 * Overlapping intervals, found by what they cover in logarithmic time (`struct rb_root_cached` with
 * `vma_interval_tree_*` in Linux). A B+ tree whose branches know how far the items below each child reach.
 *
 * The time of a look-up in many intervals is that of its cache misses and mispredicted branches. Of both, wide packed
 * nodes have a fraction of what a binary tree has, packed or not; and the published interval trees need 3 to 7 µs at
 * 65,536 intervals.
 */
export class IntervalTree<T extends object> {
  readonly #nodes = new IntervalNodes();
  /** Made for the first item. */
  #root = NONE;
  /** By number, as leaves name them. */
  readonly #items: (T | undefined)[] = [];
  readonly #numbers = new Map<T, number>();
  readonly #freeNumbers: number[] = [];

  get size(): number {
    return this.#numbers.size;
  }

  /** Adds an item that covers `[first, last]`; it is visited after all older items with the same `first`. */
  insert(item: T, first: number, last: number): void {
    const nodes = this.#nodes;
    if (this.#root === NONE) this.#root = nodes.take(0);
    const number = this.#freeNumbers.pop() ?? this.#items.length;
    this.#items[number] = item;
    this.#numbers.set(item, number);
    let node = this.#root;
    while (nodes.heights[node] > 0) {
      node = nodes.refs[node * FULL + Math.max(nodes.countUpTo(node, first) - 1, 0)];
    }
    this.#add(node, nodes.countUpTo(node, first), first, last, number);
  }

  /** Removes an item; false when it is not in the tree. */
  remove(item: T): boolean {
    const number = this.#numbers.get(item);
    if (number === undefined) return false;
    this.#numbers.delete(item);
    this.#items[number] = undefined;
    this.#freeNumbers.push(number);
    const leaf = this.#nodes.homes[number];
    this.#nodes.drop(leaf, this.#nodes.indexOf(leaf, number));
    this.#mend(leaf);
    return true;
  }

  has(item: T): boolean {
    return this.#numbers.has(item);
  }

  /** The items that touch `[first, last]`, by `first` and then oldest first. */
  overlapping(first: number, last: number): T[] {
    const found: T[] = [];
    if (this.#root !== NONE) this.#collect(this.#root, first, last, found);
    return found;
  }

  #collect(node: number, first: number, last: number, found: T[]): void {
    const { firsts, reaches, refs, counts, heights } = this.#nodes;
    const end = node * FULL + counts[node];
    for (let at = node * FULL; at < end && firsts[at] <= last; at++) {
      if (reaches[at] < first) continue;
      if (heights[node] > 0) {
        this.#collect(refs[at], first, last, found);
      } else {
        const item = this.#items[refs[at]];
        if (item !== undefined) found.push(item);
      }
    }
  }

  /** Adds an entry to a node, which is split first when it is full. */
  #add(node: number, index: number, first: number, reach: number, ref: number): void {
    const nodes = this.#nodes;
    let target = node;
    let place = index;
    if (nodes.counts[node] === FULL) {
      // Of items that are added in ascending order, most stay together.
      const later = this.#split(node, index === FULL ? FULL - FEW : FULL / 2);
      if (place > nodes.counts[node]) {
        place -= nodes.counts[node];
        target = later;
      }
    }
    nodes.add(target, place, first, reach, ref);
    nodes.widenUpwards(target, first, reach);
  }

  /** Moves what a node holds from entry `index` on to a new one beside it, and answers with that. */
  #split(node: number, index: number): number {
    const nodes = this.#nodes;
    const height = nodes.heights[node];
    if (nodes.parents[node] === NONE) {
      this.#root = nodes.take(height + 1);
      nodes.add(this.#root, 0, nodes.firsts[node * FULL], nodes.reachOf(node), node);
    }
    const later = nodes.take(height);
    nodes.move(node, index, later);
    const parent = nodes.parents[node];
    nodes.describe(parent, node);
    this.#add(
      parent,
      nodes.indexOf(parent, node) + 1,
      nodes.firsts[later * FULL],
      nodes.reachOf(later),
      later,
    );
    return later;
  }

  /** Puts the tree right after an entry of a node was dropped. */
  #mend(node: number): void {
    const nodes = this.#nodes;
    const parent = nodes.parents[node];
    if (parent === NONE) {
      if (nodes.heights[node] > 0 && nodes.counts[node] === 1) {
        this.#root = nodes.refs[node * FULL];
        nodes.parents[this.#root] = NONE;
        nodes.release(node);
      }
      return;
    }
    if (nodes.counts[node] >= FEW) {
      nodes.describeUpwards(node);
      return;
    }
    const index = Math.max(nodes.indexOf(parent, node) - 1, 0);
    const left = nodes.refs[parent * FULL + index];
    const right = nodes.refs[parent * FULL + index + 1];
    if (nodes.counts[left] + nodes.counts[right] <= FULL) {
      nodes.move(right, 0, left);
      nodes.drop(parent, index + 1);
      nodes.release(right);
      nodes.describe(parent, left);
      this.#mend(parent);
      return;
    }
    if (node === left) this.#shift(right, 0, left, nodes.counts[left]);
    else this.#shift(left, nodes.counts[left] - 1, right, 0);
    nodes.describe(parent, left);
    nodes.describe(parent, right);
    nodes.describeUpwards(parent);
  }

  /** Moves one entry from a node to its neighbour. */
  #shift(from: number, index: number, to: number, place: number): void {
    const { firsts, reaches, refs } = this.#nodes;
    const at = from * FULL + index;
    this.#nodes.add(to, place, firsts[at], reaches[at], refs[at]);
    this.#nodes.drop(from, index);
  }
}
