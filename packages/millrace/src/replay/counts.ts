import type { Counted } from "./replay-report.ts";

/** Names that are told apart; what has another one is `other`. */
const NAMES_MAX = 100;

/** Counts by name. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    const known = this.#counts.has(name) || this.#counts.size < NAMES_MAX ? name : "other";
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + count);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Most first. */
  list(): readonly Counted[] {
    return [...this.#counts]
      .map(([name, count]) => ({ name, count }))
      .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  }
}
