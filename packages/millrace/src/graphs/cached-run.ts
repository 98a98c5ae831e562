import { isOwnFailure, SharedRun } from "../core/cache/shared-run.ts";
import { Cancellation } from "../core/cancellation.ts";
import { MillraceError } from "../core/errors.ts";
import { StepError } from "../core/graph/step-error.ts";
import { runStep } from "../core/graph/run-step.ts";
import { typeText } from "../core/graph/spec-text.ts";
import type { Degradation, StepOutcome } from "../core/graph/step-outcome.ts";
import type { StepContext } from "../core/graph/step.ts";
import { fitsSpecs } from "../core/tensor/fits-specs.ts";
import { joinRows, sliceRows } from "../core/tensor/rows.ts";
import { fitsShape, type Tensor } from "../core/tensor/tensor.ts";
import type { Lookup } from "../ports/tensor-cache.ts";
import type { CachedStepOptions } from "./cached-step-options.ts";
import type { DataRow } from "./data-cache.ts";

export interface CachedRequest {
  readonly inputs: readonly Tensor[];
  /** One per row. */
  readonly keys: readonly string[];
  readonly context: StepContext;
}

type Rows = ReadonlyMap<string, DataRow>;

/** Times a request waits for others that fail for reasons of their own, before it runs by itself. */
const TAKEOVERS_MAX = 4;

/** Requests that wait for one run; one more runs by itself. */
const WAITERS_MAX = 10_000;

/** One run of a cached step: looks for its rows, prepares those that are missing, and joins all of them. */
export class CachedRun {
  readonly #options: CachedStepOptions;
  readonly #request: CachedRequest;
  /** By key. */
  readonly #given = new Map<string, DataRow>();
  /** Keys without a row yet, each with the first row that has it. */
  readonly #missing = new Map<string, number>();
  /** Ends all waiting of this request, when its client goes or a part of it fails. */
  readonly #cancellation = new Cancellation();
  readonly #observed: Tensor[] = [];
  #ledCount = 0;

  constructor(options: CachedStepOptions, request: CachedRequest) {
    this.#options = options;
    this.#request = request;
  }

  async run(): Promise<StepOutcome> {
    const { cancellation } = this.#request.context;
    const unfollow = cancellation?.watch(() => this.#cancellation.cancel(cancellation.reason));
    try {
      await this.#look();
      for (let round = 0; this.#missing.size > 0; round++) await this.#prepare(round);
      this.#note();
      return this.#joined();
    } catch (error) {
      this.#cancellation.cancel(error);
      throw error;
    } finally {
      unfollow?.();
    }
  }

  /** Takes what the cache has; asks for all rows before it waits for one. */
  async #look(): Promise<void> {
    const { store, runs } = this.#options.dataCache;
    const waits: Promise<void>[] = [];
    for (const [row, key] of this.#request.keys.entries()) {
      if (this.#missing.has(key) || this.#given.has(key)) continue;
      this.#missing.set(key, row);
      if (runs.has(key)) continue;
      const found = store.get(key);
      if (found instanceof Promise) waits.push(found.then((one) => this.#take(key, one)));
      else this.#take(key, found);
    }
    if (waits.length > 0) await Promise.all(waits);
    this.#cancellation.throwIfCancelled();
  }

  #take(key: string, found: Lookup): void {
    const { counters } = this.#options;
    if (found === "unavailable") counters.error.add();
    if (typeof found === "string" || !this.#fits(found.outputs)) return;
    this.#give(key, { outputs: found.outputs, degraded: [] });
    counters.hit.add();
  }

  /** Others may have written what is there. */
  #fits(outputs: readonly Tensor[]): boolean {
    const isRow = outputs.every(({ shape }) => shape[0] === 1);
    return isRow && fitsSpecs(outputs, this.#options.step.outputs);
  }

  #give(key: string, row: DataRow): void {
    this.#given.set(key, row);
    this.#missing.delete(key);
  }

  /** Waits for rows that others prepare, while it prepares the rest. What others fail to is missing still. */
  async #prepare(round: number): Promise<void> {
    const { runs } = this.#options.dataCache;
    const followed = new Map<SharedRun<Rows>, string[]>();
    const led = new Map<string, number>();
    for (const [key, row] of this.#missing) {
      const known = runs.get(key);
      const isFull = known === undefined || known.waiterCount >= WAITERS_MAX;
      if (isFull || round >= TAKEOVERS_MAX) led.set(key, row);
      else followed.set(known, [...(followed.get(known) ?? []), key]);
    }
    const waits = [...followed].map(([shared, keys]) => this.#follow(shared, keys));
    if (led.size > 0) waits.push(this.#lead(led));
    await Promise.all(waits);
  }

  async #follow(shared: SharedRun<Rows>, keys: readonly string[]): Promise<void> {
    const { clock, deadlineAtMs } = this.#request.context;
    try {
      const rows = await shared.wait({ cancellation: this.#cancellation, deadlineAtMs });
      for (const key of keys) this.#give(key, rows.get(key) as DataRow);
      this.#options.counters.hit.add(keys.length);
    } catch (error) {
      const isOver = this.#cancellation.isCancelled || clock.nowMs() >= deadlineAtMs;
      // Which row is wrong is said in the rows of that request: its own run says it in its own.
      if (isOver || !(isOwnFailure(error) || namesRows(error))) throw error;
    }
  }

  async #lead(led: ReadonlyMap<string, number>): Promise<void> {
    const { dataCache, counters } = this.#options;
    const { runs, clock } = dataCache;
    const shared = new SharedRun<Rows>(clock);
    // The steps mind the deadline themselves.
    const waiting = shared.wait({ cancellation: this.#cancellation, deadlineAtMs: Infinity });
    const own = [...led.keys()].filter((key) => !runs.has(key));
    const forget = (): void => {
      for (const key of own) if (runs.get(key) === shared) runs.delete(key);
    };
    for (const key of own) runs.set(key, shared);
    shared.cancellation.watch(forget);
    shared.start(this.#make(led, shared.cancellation).finally(forget));
    this.#ledCount += led.size;
    counters.miss.add(led.size);
    try {
      for (const [key, row] of await waiting) this.#give(key, row);
    } catch (error) {
      throw inRows(error, [...led.values()]);
    }
  }

  async #make(led: ReadonlyMap<string, number>, cancellation: Cancellation): Promise<Rows> {
    const { step, dataCache, ttlMs } = this.#options;
    const { context } = this.#request;
    const inputs = this.#inputsOf([...led.values()]);
    const outcome = await runStep(step, inputs, { ...context, cancellation });
    this.#observed.push(...outcome.observed);
    const rows = this.#rowsOf(outcome, [...led.keys()]);
    if (outcome.degraded.length > 0) return rows;
    const storedWallMs = dataCache.clock.wallMs();
    for (const [key, { outputs }] of rows) {
      dataCache.store.set(key, { outputs: outputs as readonly Tensor[], storedWallMs }, ttlMs);
    }
    return rows;
  }

  /** @param rows ascending. */
  #inputsOf(rows: readonly number[]): readonly Tensor[] {
    const { inputs, keys } = this.#request;
    if (rows.length === keys.length) return inputs;
    return inputs.map((input) => joinRows(rows.map((row) => sliceRows(input, row, 1))));
  }

  #rowsOf({ outputs, degraded }: StepOutcome, keys: readonly string[]): Rows {
    const { step } = this.#options;
    const byOutput = step.outputs.map(({ name }) => outputs.find((one) => one.name === name));
    for (const tensor of outputs) {
      if (tensor.shape[0] === keys.length) continue;
      throw failed(
        step.name,
        `output "${tensor.name}" has ${tensor.shape[0] ?? 0} rows, expected ${keys.length}`,
      );
    }
    return new Map(
      keys.map((key, row) => {
        const own = byOutput.map((tensor) => tensor && sliceRows(tensor, row, 1));
        return [key, { outputs: own, degraded }];
      }),
    );
  }

  #joined(): StepOutcome {
    const { step } = this.#options;
    const rows = this.#request.keys.map((key) => this.#given.get(key) as DataRow);
    const outputs = step.outputs.flatMap(({ name }, i) => {
      const parts = rows.map((row) => row.outputs[i]).filter((part) => part !== undefined);
      if (parts.length < rows.length) return []; // its loss is among what is degraded
      return [this.#join(name, parts)];
    });
    const degraded = new Set<Degradation>(rows.flatMap((row) => row.degraded));
    return { outputs, observed: this.#observed, degraded: [...degraded] };
  }

  #join(name: string, parts: readonly Tensor[]): Tensor {
    const first = parts[0] as Tensor;
    if (parts.length === 1) return first;
    const other = parts.find((part) => !fitsShape(part.shape, first.shape));
    if (other === undefined) return joinRows(parts);
    const found = `output "${name}" is ${typeText(first)} for one key, ${typeText(other)} for another`;
    throw failed(this.#options.step.name, `${found}, rows of one request must be alike`);
  }

  #note(): void {
    const { trace } = this.#request.context;
    trace.note("cache", this.#ledCount === 0 ? "hit" : "miss");
    trace.note("hits", this.#given.size - this.#ledCount);
    trace.note("misses", this.#ledCount);
  }
}

function namesRows(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.problems.length > 0;
}

/** The error of a run of some rows, with its places in the rows of the request. @param rows of the run. */
function inRows(error: unknown, rows: readonly number[]): unknown {
  if (!namesRows(error)) return error;
  if (error instanceof StepError && error.cause instanceof MillraceError) {
    return StepError.of(error.step, inRows(error.cause, rows) as MillraceError);
  }
  const { code, message, reason, problems } = error;
  return MillraceError.withoutStack(code, message, {
    problems: problems.map((problem) => {
      const row = problem.location.at(-1);
      if (typeof row !== "number") return problem;
      return { ...problem, location: [...problem.location.slice(0, -1), rows[row] ?? row] };
    }),
    ...(reason !== undefined && { reason }),
    cause: error,
  });
}

function failed(step: string, state: string): MillraceError {
  return new MillraceError("FUNCTION_FAILED", `Cannot join the rows of step "${step}": ${state}`);
}
