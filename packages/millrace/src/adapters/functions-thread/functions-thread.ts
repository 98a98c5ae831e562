import type { SourceComparator } from "../../ports/comparator-source.ts";
import type { Logger, LoggerFor } from "../../ports/logger.ts";
import type {
  FunctionOptions,
  SourceCombiner,
  SourceStep,
  StepSources,
} from "../../ports/step-sources.ts";
import type { Declaration } from "./declaration.ts";
import { FunctionComparator } from "./function-comparator.ts";
import { FunctionCombiner } from "./function-combiner.ts";
import { readFunctionFile, type FunctionFile } from "./function-file.ts";
import { FunctionPool } from "./function-pool.ts";
import { FunctionStep } from "./function-step.ts";
import type { FunctionThread, FunctionThreadOptions } from "./function-thread.ts";
import { checkSame, startFunctionThread } from "./start-function-thread.ts";
import type { FunctionKind } from "./thread-messages.ts";

export interface ThreadFunctionsOptions extends Pick<FunctionThreadOptions, "entry" | "clock"> {
  readonly loggerFor: LoggerFor;
  /** Memory of one thread, its arrays included; one that takes more is ended. By default 512 MiB. */
  readonly memoryBytesMax?: number;
  /** Time that the import of a file may take; by default 30 s. */
  readonly loadMsMax?: number;
}

/** Default of `memoryBytesMax`. */
const MEMORY_BYTES_MAX = 512 * 1024 * 1024;
/** Default of `loadMsMax`. */
const LOAD_MS_MAX = 30_000;
/** Of a combine function, for which the file has no options. */
const COMBINE_OPTIONS = { timeoutMs: 2000, threads: 1, queue: 1000 } as const;
/** Of a comparison: as many wait as a shadow may have copies in work. */
const COMPARE_OPTIONS = { timeoutMs: 1000, threads: 1, queue: 10_000 } as const;

interface LoadedFunction {
  readonly file: FunctionFile;
  readonly declaration: Declaration;
  readonly pool: FunctionPool;
}

/**
 * Steps that run code of the user, each file in threads of its own: a function that throws, loops for ever, ends its
 * thread or takes too much memory fails its own call, and its thread is replaced.
 *
 * It is a guard against mistakes, not a sandbox: the code has the rights of the process. What it does in native code
 * cannot be stopped until that returns, and one array of hundreds of megabytes can still be more than V8 bears.
 *
 * The price, measured on Node 24, 2 cores: a thread takes 50 ms to start (100 ms from the sources) and 13 MB; a call of
 * small tensors takes 0.08 ms, one of 602 KB 0.4 ms: numbers are copied on their way in and on their way out.
 */
export class ThreadFunctions implements Pick<StepSources, "function" | "load" | "combine"> {
  readonly #options: Required<Omit<ThreadFunctionsOptions, "loggerFor">> & { readonly log: Logger };

  constructor({
    loggerFor,
    memoryBytesMax = MEMORY_BYTES_MAX,
    loadMsMax = LOAD_MS_MAX,
    ...options
  }: ThreadFunctionsOptions) {
    this.#options = { ...options, memoryBytesMax, loadMsMax, log: loggerFor("functions") };
  }

  function(name: string, options: FunctionOptions): Promise<SourceStep> {
    return this.#step("function", name, options);
  }

  load(name: string, options: FunctionOptions): Promise<SourceStep> {
    return this.#step("load", name, options);
  }

  async combine(path: string): Promise<SourceCombiner> {
    const { file, declaration, pool } = await this.#load("combine", { ...COMBINE_OPTIONS, path });
    const combiner = new FunctionCombiner(file.name, declaration, pool);
    return { combiner, digest: file.digest, close: () => pool.close() };
  }

  /** Opens a comparison of a shadow. @throws as `function`. */
  async compare(path: string): Promise<SourceComparator> {
    const { pool } = await this.#load("compare", { ...COMPARE_OPTIONS, path });
    return new FunctionComparator(pool);
  }

  async #step(
    kind: "function" | "load",
    name: string,
    options: FunctionOptions,
  ): Promise<SourceStep> {
    const { file, declaration, pool } = await this.#load(kind, options);
    const step = new FunctionStep(name, kind, declaration, pool);
    return { step, digest: file.digest, close: () => pool.close() };
  }

  async #load(kind: FunctionKind, options: FunctionOptions): Promise<LoadedFunction> {
    const { path, timeoutMs, threads: count, queue } = options;
    const file = await readFunctionFile(kind, path);
    const { thread, declaration } = await startFunctionThread(file, this.#options);
    const startAgain = (): Promise<FunctionThread> => this.#startAgain(file, declaration);
    const others = await Promise.allSettled(Array.from({ length: count - 1 }, startAgain));
    const threads = [
      thread,
      ...others.flatMap((start) => (start.status === "fulfilled" ? [start.value] : [])),
    ];
    const failure = others.find((start) => start.status === "rejected");
    if (failure !== undefined) {
      for (const started of threads) started.stop();
      throw failure.reason;
    }
    const { clock, log } = this.#options;
    const fields = { file: path };
    const pool = new FunctionPool(threads, {
      kind,
      clock,
      log,
      fields,
      timeoutMs,
      queue,
      start: startAgain,
    });
    return { file, declaration, pool };
  }

  /** Another thread of a file that has been loaded. */
  async #startAgain(file: FunctionFile, declaration: Declaration): Promise<FunctionThread> {
    const again = await startFunctionThread(file, this.#options);
    const error = checkSame(file, declaration, again.declaration);
    if (error === undefined) return again.thread;
    again.thread.stop();
    throw error;
  }
}
