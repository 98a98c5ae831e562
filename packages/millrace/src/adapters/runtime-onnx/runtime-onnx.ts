import { dirname } from "node:path";
import type { InferenceSession } from "onnxruntime-node";
import { MillraceError } from "../../core/errors.ts";
import type { LoadedModel, ModelFile, Runtime } from "../../ports/runtime.ts";
import { checkExternalData } from "./check-external-data.ts";
import { checkValueTypes } from "./check-value-types.ts";
import { describeModel } from "./describe-model.ts";
import { explainLoadError } from "./explain-load-error.ts";
import { findExternalData } from "./find-external-data.ts";
import { LoadedOnnxModel } from "./loaded-onnx-model.ts";
import { ModelFileError } from "./model-file-error.ts";
import type { OnnxModel } from "./onnx-model.ts";
import { readOnnxModel } from "./onnx-model.ts";
import { ProtobufError } from "./protobuf.ts";
import { readModelFile, sha256Of } from "./read-model-file.ts";
import { recognizeFormat } from "./recognize-format.ts";
import { removeZipMaps } from "./remove-zip-map.ts";

/** Runs ONNX files with onnxruntime on the CPU. */
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
  const { bytes, sha256 } = await readModelFile(file.path, file.sha256);
  const { model: fileModel, externalData } = parse(bytes);
  const externalBytes = await checkExternalData(file.path, externalData);
  const rewrite = removeZipMaps(bytes, fileModel);
  const isRewritten = rewrite.removed.length > 0;
  const model = isRewritten ? readOnnxModel(rewrite.bytes) : fileModel;
  checkValueTypes(model.graph);
  signal?.throwIfAborted();

  const session = await createSession(rewrite.bytes, file);
  try {
    const description = describeModel(session, {
      model,
      removedZipMaps: rewrite.removed,
      sha256,
      loadedSha256: isRewritten ? sha256Of(rewrite.bytes) : sha256,
      sizeBytes: bytes.length + externalBytes,
      externalData,
    });
    return new LoadedOnnxModel(session, description);
  } catch (error) {
    await session.release();
    throw error;
  }
}

function parse(bytes: Uint8Array): { model: OnnxModel; externalData: string[] } {
  try {
    return { model: readOnnxModel(bytes), externalData: findExternalData(bytes) };
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new ModelFileError(explainParseError(bytes, error), { cause: error });
  }
}

/** Exporters write the IR version first, a small number: bytes 8 and 1 to 127. */
function startsLikeOnnx(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 && bytes[1] !== undefined && bytes[1] > 0 && bytes[1] < 0x80;
}

function explainParseError(bytes: Uint8Array, error: ProtobufError): string {
  if (startsLikeOnnx(bytes)) return `it is truncated or damaged, ${error.message}`;
  const format = recognizeFormat(bytes);
  return format === undefined ? "it is not an ONNX file" : `it is not an ONNX file but ${format}`;
}

async function createSession(bytes: Uint8Array, file: ModelFile): Promise<InferenceSession> {
  // Loaded on first use: the library takes some 40 ms and 20 MB, which other roles never need.
  const ort = await import("onnxruntime-node");
  ort.env.logLevel = "fatal";
  try {
    return await ort.InferenceSession.create(bytes, sessionOptions(file));
  } catch (error) {
    throw new ModelFileError(explainLoadError(error), { cause: error });
  }
}

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
        // Idle threads that spin for the next run take the cores from everything else on the machine.
        intra_op: { allow_spinning: "0" },
        // Lets a model be created from the bytes that were checked and still find its external data.
        model_external_initializers_file_folder_path: dirname(path),
      },
    },
  };
}
