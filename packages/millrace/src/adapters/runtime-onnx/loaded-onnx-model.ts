import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { MillraceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { LoadedModel, ModelDescription, RunOutputs, RunOptions } from "../../ports/runtime.ts";
import { fromOrtTensor, toOrtTensor } from "./ort-tensor.ts";

/**
 * One onnxruntime session. `run` computes on the calling thread, so a slow model belongs in a worker.
 * Input data is read in place; the data of the outputs is the caller's.
 */
export class LoadedOnnxModel implements LoadedModel {
  readonly description: ModelDescription;
  readonly placement = "inline";
  #session: InferenceSession | undefined;

  constructor(session: InferenceSession, description: ModelDescription) {
    this.#session = session;
    this.description = description;
  }

  async run(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    options?: RunOptions,
  ): Promise<RunOutputs> {
    options?.signal?.throwIfAborted();
    const session = this.#session;
    if (session === undefined) {
      throw new MillraceError("MODEL_NOT_READY", "Cannot run the model: it is closed");
    }
    // onnxruntime would take none for "all outputs"
    if (outputNames.length === 0) return { outputs: [], computeMs: 0 };
    const feeds = Object.fromEntries(inputs.map((input) => [input.name, toOrtTensor(input)]));
    let startMs = 0;
    // onnxruntime-node computes in a setImmediate of its own; this one comes right before it.
    setImmediate(() => (startMs = performance.now()));
    const results = await runSession(session, feeds, outputNames);
    const computeMs = performance.now() - startMs;
    return { outputs: outputNames.map((name) => fromOrtTensor(name, results[name]!)), computeMs };
  }

  onLost(): void {
    // It lives and dies with the thread that calls it.
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }
}

async function runSession(
  session: InferenceSession,
  feeds: Record<string, OrtTensor>,
  outputNames: readonly string[],
): Promise<InferenceSession.OnnxValueMapType> {
  try {
    return await session.run(feeds, outputNames);
  } catch (cause) {
    // The cause names nodes and sizes inside the model: for the log, not for callers.
    throw new MillraceError("MODEL_FAILED", "Cannot run the model: it failed on these inputs", {
      cause,
    });
  }
}
