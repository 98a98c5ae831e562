import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { shownUrl } from "../../core/load/shown-url.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import { RESULT, RESULT_COLUMNS, type ResultBlock } from "../result-block.ts";
import type { ResultFormat, StoredResult } from "./stored-result.ts";
import { writeResult } from "./write-result.ts";

export interface ResultsWriterOptions {
  readonly format: ResultFormat;
  /** Name of the test. */
  readonly attack: string;
  /** Of the plan. */
  readonly targets: readonly LoadTarget[];
}

/** What became of the results. */
export interface ResultsWritten {
  readonly written: number;
  /** Left out, because what they are written to could not keep up. */
  readonly leftOut: number;
}

/** Bytes that may wait to be written. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Writes the results of a load test while it runs. It never slows the test down: what cannot be written for so long that
 * 64 MiB wait is left out, and counted.
 */
export class ResultsWriter {
  readonly #output: Writable;
  readonly #options: ResultsWriterOptions;
  readonly #urls: readonly string[];
  #written = 0;
  #leftOut = 0;
  #error: Error | undefined;

  /** @param output ended by `close`. */
  constructor(output: Writable, options: ResultsWriterOptions) {
    this.#output = output;
    this.#options = options;
    this.#urls = options.targets.map(({ url }) => shownUrl(url));
    output.on("error", (error: Error) => (this.#error ??= error));
  }

  /** @param startedAtMs begin of the measured time, in ms since 1970-01-01 UTC. */
  add(block: ResultBlock, startedAtMs: number): void {
    const isBlocked = this.#output.writableLength > WAITING_BYTES_MAX;
    if (isBlocked || this.#error !== undefined) {
      this.#leftOut += block.count;
      return;
    }
    const startedAtNs = BigInt(Math.round(startedAtMs * 1e3)) * 1000n;
    let text = "";
    for (let i = 0; i < block.count; i++) {
      text += writeResult(this.#options.format, this.#resultAt(block, i, startedAtNs));
    }
    if (text !== "") this.#output.write(text);
    this.#written += block.count;
  }

  /** Waits until all is written. @throws what the output has against it. */
  async close(): Promise<ResultsWritten> {
    if (this.#error === undefined) {
      this.#output.end();
      await finished(this.#output, { readable: false });
    }
    if (this.#error !== undefined) throw this.#error;
    return { written: this.#written, leftOut: this.#leftOut };
  }

  #resultAt({ values, errors }: ResultBlock, row: number, startedAtNs: bigint): StoredResult {
    const at = row * RESULT_COLUMNS;
    const number = (column: number): number => values[at + column] as number;
    const target = this.#options.targets[number(RESULT.target)];
    const intendedMs = number(RESULT.intendedMs);
    return {
      attack: this.#options.attack,
      seq: number(RESULT.seq),
      code: number(RESULT.code),
      timestampNs: startedAtNs + BigInt(Math.round(intendedMs * 1e6)),
      latencyNs: Math.round((number(RESULT.doneMs) - intendedMs) * 1e6),
      bytesOut: number(RESULT.bytesOut),
      bytesIn: number(RESULT.bytesIn),
      error: errors[number(RESULT.error) - 1] ?? "",
      body: undefined,
      method: target?.method ?? "",
      url: this.#urls[number(RESULT.target)] ?? "",
      headers: undefined,
    };
  }
}
