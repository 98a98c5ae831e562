import { dirname } from "node:path";
import type { InferenceSession } from "onnxruntime-node";
import { MillraceError } from "../../core/errors.ts";
import type { LoadedModel, ModelFile, Runtime } from "../../ports/runtime.ts";
import { checkExternalData } from "./check-external-data.ts";
import { describeModel } from "./describe-model.ts";
import { explainLoadError } from "./explain-load-error.ts";
import { LoadedOnnxModel } from "./loaded-onnx-model.ts";
import { ModelFileError } from "./model-file-error.ts";
import { prepareModel } from "./prepare-model.ts";
import { readModelFile, sha256Of } from "./read-model-file.ts";

/** Runs ONNX files with onnxruntime on the CPU. `load` and `run` compute on the calling thread. */
export class OnnxRuntime implements Runtime {
  readonly name = "onnx";
  readonly platform = "onnx_onnxv1";

  async load(file: ModelFile, signal?: AbortSignal): Promise<LoadedModel> {
    signal?.throwIfAborted();
    try {
      return await loadFile(file, signal);
    } catch (error) {
      if (!(error instanceof ModelFileError)) throw error;
      const message = `Cannot load model "${file.path}": ${error.message}`;
      throw new MillraceError("MODEL_LOAD_FAILED", message, { cause: error.cause ?? error });
    }
  }
}

/** The file's bytes live only as long as this function: afterwards onnxruntime has its own copy. */
async function loadFile(file: ModelFile, signal: AbortSignal | undefined): Promise<LoadedModel> {
  const content = await readModelFile(file.path, file.sha256);
  const prepared = prepareModel(content.bytes);
  const externalBytes = await checkExternalData(file.path, prepared.externalData);
  signal?.throwIfAborted();

  const session = await createSession(prepared.bytes, file);
  try {
    const description = describeModel(session, prepared, {
      sha256: content.sha256,
      loadedSha256: prepared.bytes === content.bytes ? content.sha256 : sha256Of(prepared.bytes),
      sizeBytes: content.bytes.length + externalBytes,
    });
    return new LoadedOnnxModel(session, description);
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function createSession(bytes: Uint8Array, file: ModelFile): Promise<InferenceSession> {
  // Not at the top of the file: the library and a first session take 50 ms and 35 MB (measured, 1.30), which
  // a process that loads no model should not pay.
  // Since 1.30 the library reports its use to its makers and keeps a database for that in the user's cache
  // folder, unless this says no before it is loaded.
  process.env["ORT_DISABLE_TELEMETRY"] ??= "1";
  const ort = await import("onnxruntime-node");
  ort.env.logLevel = "fatal";
  try {
    return await ort.InferenceSession.create(bytes, sessionOptions(file));
  } catch (error) {
    throw new ModelFileError(explainLoadError(error), { cause: error });
  }
}

/**
 * `enableCpuMemArena` stays on: without it models of 1 KB to 64 MB took the same memory or up to 20 MB more,
 * at the same speed (measured, onnxruntime-node 1.30, batches of 1 to 64).
 */
function sessionOptions({ path, threads }: ModelFile): InferenceSession.SessionOptions {
  return {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: "all",
    // Errors reach the caller as exceptions; onnxruntime would print them on stderr as well.
    logSeverityLevel: 4,
    extra: {
      session: {
        // Idle threads would spin for the next run: 1250 instead of 170 ms CPU per second for 200 runs of a
        // 1 M weight network on 2 threads, while one run takes 0.6 instead of 0.46 ms (measured).
        intra_op: { allow_spinning: "0" },
        // Lets a model be created from the bytes that were checked and still find its external data.
        model_external_initializers_file_folder_path: dirname(path),
      },
    },
  };
}
