import { LoadTally } from "../core/load/load-tally.ts";
import { RESULT, RESULT_COLUMNS, type ResultBlock } from "./result-block.ts";

/** Counts the blocks of all threads of a run. */
export class BlockTally {
  readonly tally: LoadTally;
  readonly #threads = new Map<number, ThreadTally>();
  readonly #result = {
    seq: 0,
    intendedMs: 0,
    sentMs: 0,
    firstByteMs: 0,
    doneMs: 0,
    code: 0,
    bytesOut: 0,
    bytesIn: 0,
    error: "",
  };

  constructor(startedAtMs: number) {
    this.tally = new LoadTally(startedAtMs);
  }

  /** Now, over all threads, as each has last told. */
  get underWay(): number {
    return [...this.#threads.values()].reduce((sum, thread) => sum + thread.underWay, 0);
  }

  /** Sum of the most that each thread had at a time. */
  get connectionsPeak(): number {
    return [...this.#threads.values()].reduce((sum, thread) => sum + thread.connectionsPeak, 0);
  }

  /** Of the busiest thread, as a share of a core, on average over the measured time; 0 where there was none. */
  get cpu(): number {
    const shares = [...this.#threads.values()]
      .filter(({ measuredMs }) => measuredMs > 0)
      .map(({ cpuMs, measuredMs }) => cpuMs / measuredMs);
    return Math.max(0, ...shares);
  }

  add(block: ResultBlock): void {
    for (let at = 0; at < block.count; at++) this.#addResult(block, at * RESULT_COLUMNS);
    for (const dueMs of block.dropped) this.tally.addDropped(dueMs);
    this.#addThread(block.thread);
  }

  #addResult({ values, errors }: ResultBlock, from: number): void {
    const result = this.#result;
    result.seq = values[from + RESULT.seq] as number;
    result.intendedMs = values[from + RESULT.intendedMs] as number;
    result.sentMs = values[from + RESULT.sentMs] as number;
    result.firstByteMs = values[from + RESULT.firstByteMs] as number;
    result.doneMs = values[from + RESULT.doneMs] as number;
    result.code = values[from + RESULT.code] as number;
    result.bytesOut = values[from + RESULT.bytesOut] as number;
    result.bytesIn = values[from + RESULT.bytesIn] as number;
    const error = values[from + RESULT.error] as number;
    result.error = error === 0 ? "" : (errors[error - 1] ?? "");
    this.tally.add(result);
  }

  #addThread(facts: ResultBlock["thread"]): void {
    const { thread, cpu, measuredMs, underWay, connectionsPeak } = facts;
    const known = this.#threads.get(thread) ?? {
      measuredMs: 0,
      cpuMs: 0,
      underWay: 0,
      connectionsPeak: 0,
    };
    this.#threads.set(thread, {
      measuredMs: known.measuredMs + measuredMs,
      cpuMs: known.cpuMs + cpu * measuredMs,
      underWay,
      connectionsPeak: Math.max(known.connectionsPeak, connectionsPeak),
    });
  }
}

interface ThreadTally {
  /** Blocks are of different length: a full one comes early. */
  readonly measuredMs: number;
  /** Processor time in it. */
  readonly cpuMs: number;
  readonly underWay: number;
  readonly connectionsPeak: number;
}
