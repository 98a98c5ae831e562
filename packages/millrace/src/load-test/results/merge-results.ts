import type { StoredResult } from "./stored-result.ts";

type Results = AsyncGenerator<readonly StoredResult[], void>;

/** Results that are yielded at once. */
const BATCH = 1000;

/**
 * Results of several inputs as one, by the time they were due. Each input is taken to be in that order; where one is not,
 * its results come as they stand in it. One piece of each input is in memory.
 */
export async function* mergeResults(inputs: readonly Results[]): Results {
  const [only] = inputs;
  if (inputs.length === 1 && only !== undefined) {
    yield* only;
    return;
  }
  const cursors = inputs.map((input) => new Cursor(input));
  for (const cursor of cursors) await cursor.fill();
  let batch: StoredResult[] = [];
  for (let next = earliest(cursors); next !== undefined; next = earliest(cursors)) {
    batch.push(next.take());
    if (next.head === undefined) await next.fill();
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

/** The one whose next result comes first; of several, the first one. */
function earliest(cursors: readonly Cursor[]): Cursor | undefined {
  let found: Cursor | undefined;
  for (const cursor of cursors) {
    if (cursor.head === undefined) continue;
    if (found?.head === undefined || cursor.head.timestampNs < found.head.timestampNs)
      found = cursor;
  }
  return found;
}

/** Where an input was read up to. */
class Cursor {
  readonly #input: Results;
  #results: readonly StoredResult[] = [];
  #at = 0;

  constructor(input: Results) {
    this.#input = input;
  }

  /** Undefined when it has to be filled, and after that at the end of the input. */
  get head(): StoredResult | undefined {
    return this.#results[this.#at];
  }

  /** The head, which there must be. */
  take(): StoredResult {
    return this.#results[this.#at++] as StoredResult;
  }

  async fill(): Promise<void> {
    this.#at = 0;
    do {
      const next = await this.#input.next();
      this.#results = next.done === true ? [] : next.value;
      if (next.done === true) return;
    } while (this.#results.length === 0);
  }
}
