import { MillraceError } from "../../core/errors.ts";
import type { LoadedModel, ModelDescription, ModelFile, Runtime } from "../../ports/runtime.ts";
import { LoadedWorkerModel } from "./loaded-worker-model.ts";
import { describeEnd, ModelThread } from "./model-thread.ts";
import { fromWireError } from "./wire-error.ts";

export interface WorkerRuntimeOptions {
  /** Name and platform of the runtime inside the threads. */
  readonly name: string;
  readonly platform: string;
  /** Module that every thread starts with; it calls `runModelThread` with the runtime to use there. */
  readonly entry: URL;
}

/** Longest wait for the runs of threads when the process exits; after it, the process is killed. */
const EXIT_WAIT_MS = 10_000;

/**
 * Loads each model on a worker thread of its own, so that a run, which occupies its thread, does not stop the one
 * that answers requests.
 *
 * The price, measured with onnxruntime-node 1.30 on Node 24, 2 cores: a thread takes 75 ms to start (120 ms from the
 * sources) and 16 MB (26 MB); a run takes 170 to 200 µs longer, and 602 KB of input cost about as much again when
 * they are copied because they are not the run's own. The JavaScript heap of a thread has the limit of the process's:
 * numbers are outside of it. An idle thread does not keep the process alive.
 *
 * A thread that breaks takes its runs with it and nothing else; a crash inside native code still ends the process.
 */
export class WorkerRuntime implements Runtime {
  readonly name: string;
  readonly platform: string;
  readonly #entry: URL;
  readonly #threads = new Set<ModelThread>();
  readonly #onExit = (): void => {
    const endMs = performance.now() + EXIT_WAIT_MS;
    const canEnd = [...this.#threads].map((thread) => {
      return thread.waitForExit(Math.max(0, endMs - performance.now()));
    });
    // Node waits for its threads without end: a run that hangs would keep the process for ever.
    if (canEnd.includes(false)) process.kill(process.pid, "SIGKILL");
  };

  constructor({ name, platform, entry }: WorkerRuntimeOptions) {
    this.name = name;
    this.platform = platform;
    this.#entry = entry;
  }

  async load(file: ModelFile, signal?: AbortSignal): Promise<LoadedModel> {
    signal?.throwIfAborted();
    const thread = this.#start(file);
    const description = await loaded(thread, file, signal);
    return new LoadedWorkerModel(thread, description);
  }

  #start(file: ModelFile): ModelThread {
    let thread: ModelThread;
    try {
      thread = new ModelThread(this.#entry, file);
    } catch (error) {
      throw loadFailed(file, "its thread cannot start", error);
    }
    if (this.#threads.size === 0) process.on("exit", this.#onExit);
    this.#threads.add(thread);
    void thread.ended.then(() => {
      this.#threads.delete(thread);
      if (this.#threads.size === 0) process.off("exit", this.#onExit);
    });
    return thread;
  }
}

/** Waits for the first report. When `signal` fires, the thread frees what it has loaded and ends. */
function loaded(
  thread: ModelThread,
  file: ModelFile,
  signal: AbortSignal | undefined,
): Promise<ModelDescription> {
  const { promise, resolve, reject } = Promise.withResolvers<ModelDescription>();
  const abort = (): void => {
    thread.post({ kind: "close" });
    reject(signal?.reason);
  };
  signal?.addEventListener("abort", abort);
  thread.onReport((report) => {
    if (report.kind === "loaded") resolve(report.description);
    else if (report.kind === "loadFailed") reject(fromWireError(report.error));
  });
  void thread.ended.then((end) =>
    reject(loadFailed(file, `its thread ${describeEnd(end)}`, end.error)),
  );
  return promise.finally(() => signal?.removeEventListener("abort", abort));
}

function loadFailed(file: ModelFile, why: string, cause: unknown): MillraceError {
  const message = `Cannot load model "${file.path}": ${why}`;
  return new MillraceError("MODEL_LOAD_FAILED", message, { cause });
}
