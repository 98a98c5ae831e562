import { checkValueTypes } from "./check-value-types.ts";
import type { Classes } from "./find-classes.ts";
import { findClasses } from "./find-classes.ts";
import { findExternalData } from "./find-external-data.ts";
import { ModelFileError } from "./model-file-error.ts";
import type { OnnxModel } from "./onnx-model.ts";
import { readOnnxModel } from "./onnx-model.ts";
import { ProtobufError } from "./protobuf.ts";
import { recognizeFormat } from "./recognize-format.ts";
import type { RemovedZipMap } from "./remove-zip-map.ts";
import { removeZipMaps } from "./remove-zip-map.ts";

/** A model as onnxruntime gets it, with what was learnt on the way. Holds views on the file's bytes. */
export interface PreparedModel {
  readonly bytes: Uint8Array;
  readonly model: OnnxModel;
  readonly removedZipMaps: readonly RemovedZipMap[];
  readonly classes: Classes;
  /** Locations of external data as written in the file, not checked yet. */
  readonly externalData: readonly string[];
}

/** @throws ModelFileError when the bytes are not an ONNX model that can be called from here. */
export function prepareModel(fileBytes: Uint8Array): PreparedModel {
  try {
    return prepare(fileBytes);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw new ModelFileError(explainParseError(fileBytes, error), { cause: error });
  }
}

function prepare(fileBytes: Uint8Array): PreparedModel {
  const fileModel = readOnnxModel(fileBytes);
  const { bytes, removed } = removeZipMaps(fileBytes, fileModel);
  const model = removed.length === 0 ? fileModel : readOnnxModel(bytes);
  checkValueTypes(model.graph);
  return {
    bytes,
    model,
    removedZipMaps: removed,
    classes: findClasses(model.graph, removed),
    externalData: findExternalData(bytes),
  };
}

function explainParseError(bytes: Uint8Array, error: ProtobufError): string {
  if (startsLikeOnnx(bytes)) return `it is truncated or damaged, ${error.message}`;
  const format = recognizeFormat(bytes);
  return format === undefined ? "it is not an ONNX file" : `it is not an ONNX file but ${format}`;
}

/** Exporters write the IR version first, a small number: bytes 8 and 1 to 127. */
function startsLikeOnnx(bytes: Uint8Array): boolean {
  return bytes[0] === 0x08 && bytes[1] !== undefined && bytes[1] > 0 && bytes[1] < 0x80;
}
