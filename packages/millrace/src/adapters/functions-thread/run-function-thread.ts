import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { copyTensors } from "../../core/tensor/copy-tensors.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { captureOutput } from "./capture-output.ts";
import { callFunction } from "./call-function.ts";
import { CallProblem } from "./call-problem.ts";
import { describeThrown } from "./describe-thrown.ts";
import { importFunction } from "./import-function.ts";
import { lineOfFailure } from "./line-of-failure.ts";
import { DeclarationError, readDeclaration, type DefinedFunction } from "./read-declaration.ts";
import type { CallFailure, ThreadOrder, ThreadReport, ThreadStart } from "./thread-messages.ts";

type CallOrder = Extract<ThreadOrder, { readonly kind: "call" }>;

/**
 * The whole life of a function's thread: imports the file it was started for and calls its function on order. It ends
 * when it is terminated, or because of an error that nobody handles, which the other side sees.
 * @param library address of what `import … from "millrace"` gives to the function.
 */
export async function runFunctionThread(library: URL): Promise<void> {
  if (parentPort === null) throw new Error("Cannot run a function: this is no worker thread");
  const port = parentPort;
  const start = workerData as ThreadStart;
  captureOutput((level, line) => report(port, { kind: "printed", level, line }));
  let defined: DefinedFunction;
  try {
    defined = readDeclaration(await importFunction(start, library), start.kind);
  } catch (error) {
    return report(port, loadFailure(error, start));
  }
  new FunctionServant(port, start, defined);
  report(port, { kind: "loaded", declaration: defined.declaration });
}

function loadFailure(error: unknown, start: ThreadStart): ThreadReport {
  if (error instanceof DeclarationError) {
    return { kind: "loadFailed", why: error.message, thrown: undefined };
  }
  const thrown = describeThrown(error);
  const line = lineOfFailure(error, start);
  const where = line === undefined ? "" : ` (line ${line})`;
  return { kind: "loadFailed", why: `its import failed: ${thrown.message}${where}`, thrown };
}

/** Obeys the orders of one port. */
class FunctionServant {
  readonly #port: MessagePort;
  readonly #start: ThreadStart;
  readonly #defined: DefinedFunction;
  #current: { readonly id: number; readonly abort: AbortController } | undefined;

  constructor(port: MessagePort, start: ThreadStart, defined: DefinedFunction) {
    this.#port = port;
    this.#start = start;
    this.#defined = defined;
    port.on("message", (order: ThreadOrder) => {
      if (order.kind === "call") void this.#call(order);
      else if (order.id === this.#current?.id) this.#current.abort.abort();
    });
    // The call that could not be read would wait for ever.
    port.on("messageerror", (error) => {
      throw error;
    });
  }

  async #call({ id, groups, facts }: CallOrder): Promise<void> {
    const abort = new AbortController();
    this.#current = { id, abort };
    let outputs: readonly Tensor[];
    try {
      const context = { ...facts, signal: abort.signal };
      outputs = await callFunction(this.#defined, this.#start.kind, groups, context);
    } catch (error) {
      report(this.#port, { kind: "failed", id, failure: failureOf(error) });
      return;
    }
    // What a function gives may be memory that it keeps, so the memory of a copy moves.
    const { tensors, buffers } = copyTensors(outputs);
    report(this.#port, { kind: "done", id, outputs: tensors }, buffers);
  }
}

function failureOf(error: unknown): CallFailure {
  if (error instanceof CallProblem) return error.failure;
  // By its name, since a file may define one of its own instead of importing it.
  if (!(error instanceof Error) || error.name !== "InvalidInput") {
    return { kind: "threw", thrown: describeThrown(error) };
  }
  const { message, input, row } = error as Error & { readonly input?: unknown; row?: unknown };
  return {
    kind: "input",
    message,
    input: typeof input === "string" ? input : undefined,
    row: typeof row === "number" ? row : undefined,
  };
}

function report(port: MessagePort, message: ThreadReport, transfers: ArrayBuffer[] = []): void {
  port.postMessage(message, transfers);
}
