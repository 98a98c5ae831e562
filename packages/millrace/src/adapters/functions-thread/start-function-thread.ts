import { isDeepStrictEqual } from "node:util";
import type { MillraceError } from "../../core/errors.ts";
import type { Declaration } from "./declaration.ts";
import { loadFailed, type FunctionFile } from "./function-file.ts";
import { describeEnd, FunctionThread, type FunctionThreadOptions } from "./function-thread.ts";
import type { Thrown } from "./thread-messages.ts";

export interface StartOptions extends FunctionThreadOptions {
  /** Time that the import of a file may take. */
  readonly loadMsMax: number;
}

/** A thread that waits for calls. */
export interface StartedThread {
  readonly thread: FunctionThread;
  readonly declaration: Declaration;
}

/**
 * Starts a thread and waits until it has imported its file.
 * @throws MODEL_LOAD_FAILED; the thread has been stopped then.
 */
export async function startFunctionThread(
  file: FunctionFile,
  options: StartOptions,
): Promise<StartedThread> {
  const { clock, loadMsMax } = options;
  const { kind, path, source } = file;
  const thread = new FunctionThread(options, { kind, path, source });
  const { promise, resolve, reject } = Promise.withResolvers<Declaration>();
  const cancelTimer = clock.schedule(loadMsMax, () =>
    reject(loadFailed(path, `its import took longer than ${loadMsMax} ms`)),
  );
  thread.onReport((report) => {
    if (report.kind === "loaded") resolve(report.declaration);
    else if (report.kind === "loadFailed") {
      reject(loadFailed(path, report.why, report.thrown && errorOf(report.thrown)));
    }
  });
  void thread.ended.then((end) =>
    reject(loadFailed(path, `its thread ${describeEnd(end)}`, end.error)),
  );
  try {
    const declaration = await promise;
    thread.setIdle(true);
    return { thread, declaration };
  } catch (error) {
    thread.stop();
    throw error;
  } finally {
    cancelTimer();
  }
}

/** A file whose imports have changed may say something else when it is imported again. */
export function checkSame(
  file: FunctionFile,
  first: Declaration,
  again: Declaration,
): MillraceError | undefined {
  if (isDeepStrictEqual(first, again)) return undefined;
  return loadFailed(file.path, "it declares other inputs or outputs than when it was loaded first");
}

/** What was thrown in the thread, for the log. */
export function errorOf({ message, stack }: Thrown): Error {
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
