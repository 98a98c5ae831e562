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

/**
 * Loads each model on a worker thread of its own, so that a run, which occupies its thread, does not stop the one
 * that answers requests.
 */
export class WorkerRuntime implements Runtime {
  readonly name: string;
  readonly platform: string;
  readonly #entry: URL;

  constructor({ name, platform, entry }: WorkerRuntimeOptions) {
    this.name = name;
    this.platform = platform;
    this.#entry = entry;
  }

  async load(file: ModelFile, signal?: AbortSignal): Promise<LoadedModel> {
    signal?.throwIfAborted();
    const thread = start(this.#entry, file);
    const description = await loaded(thread, file, signal);
    return new LoadedWorkerModel(thread, description);
  }
}

function start(entry: URL, file: ModelFile): ModelThread {
  try {
    return new ModelThread(entry, file);
  } catch (error) {
    throw loadFailed(file, "its thread cannot start", error);
  }
}

/** Waits for the first report. Stops the thread when `signal` fires: what it has loaded by then is of no use. */
function loaded(
  thread: ModelThread,
  file: ModelFile,
  signal: AbortSignal | undefined,
): Promise<ModelDescription> {
  const { promise, resolve, reject } = Promise.withResolvers<ModelDescription>();
  const abort = (): void => {
    thread.stop();
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
