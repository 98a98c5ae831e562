import type { InferenceSession } from "onnxruntime-node";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import type { ModelDescription } from "../../ports/runtime.ts";
import type { Classes } from "./find-classes.ts";
import { ModelFileError } from "./model-file-error.ts";
import type { OnnxModel } from "./onnx-model.ts";
import { datatypeOfOrt } from "./ort-tensor.ts";
import type { PreparedModel } from "./prepare-model.ts";
import type { RemovedZipMap } from "./remove-zip-map.ts";

/** What is known of the bytes. */
export interface FileFacts {
  readonly sha256: string;
  readonly loadedSha256: string;
  /** Of the file and its external data. */
  readonly sizeBytes: number;
}

/** @throws ModelFileError when an input or output turns out to be no tensor of a known type. */
export function describeModel(
  session: InferenceSession,
  prepared: PreparedModel,
  file: FileFacts,
): ModelDescription {
  const { model, removedZipMaps, classes, externalData } = prepared;
  const outputs = session.outputMetadata
    .map((metadata) => toSpec(metadata, "output"))
    .map((spec) => withClassCount(spec, removedZipMaps));
  return {
    inputs: session.inputMetadata.map((metadata) => toSpec(metadata, "input")),
    outputs,
    outputAliases: Object.fromEntries(
      removedZipMaps.map(({ oldOutput, newOutput }) => [oldOutput, newOutput]),
    ),
    ...describeClasses(classes, outputs),
    ...file,
    changes: removedZipMaps.map(
      ({ oldOutput, newOutput }) =>
        `Removed the ZipMap that made output "${oldOutput}"; its input "${newOutput}" is the output now`,
    ),
    details: describeDetails(model, externalData),
  };
}

function toSpec(metadata: InferenceSession.ValueMetadata, role: "input" | "output"): TensorSpec {
  const datatype = metadata.isTensor ? datatypeOfOrt(metadata.type) : undefined;
  if (!metadata.isTensor || datatype === undefined) {
    throw new ModelFileError(`its ${role} "${metadata.name}" is not a tensor of a supported type`);
  }
  // Sizes that may vary are strings here: their symbolic name, or "".
  const shape = metadata.shape.map((extent) => (typeof extent === "number" ? extent : -1));
  return { name: metadata.name, datatype, shape };
}

/** onnxruntime infers no column count for most classifiers, but the ZipMap knew one label per column. */
function withClassCount(spec: TensorSpec, removed: readonly RemovedZipMap[]): TensorSpec {
  const zipMap = removed.find(({ newOutput }) => newOutput === spec.name);
  if (zipMap === undefined) return spec;
  const [batch = -1, columns = -1] = spec.shape;
  if (spec.shape.length !== 0 && spec.shape.length !== 2) return spec;
  return { ...spec, shape: [batch, columns === -1 ? zipMap.labels.length : columns] };
}

/** Keeps what `findClasses` found only when the output really is one number per class and row. */
function describeClasses(
  classes: Classes,
  outputs: readonly TensorSpec[],
): Pick<ModelDescription, "probabilitiesOutput" | "labels"> {
  const spec = outputs.find(({ name }) => name === classes.probabilitiesOutput);
  if (spec?.shape.length !== 2) return { probabilitiesOutput: undefined, labels: undefined };
  const columns = spec.shape[1];
  const hasLabelPerColumn = columns === -1 || columns === classes.labels?.length;
  return {
    probabilitiesOutput: spec.name,
    labels: hasLabelPerColumn ? classes.labels : undefined,
  };
}

const OPERATORS_LISTED_MAX = 8;

function describeDetails(
  { producer, irVersion, opsets, graph }: OnnxModel,
  externalData: readonly string[],
): Record<string, string> {
  const details: Record<string, string> = {
    producer: producer === "" ? "unknown" : producer,
    irVersion: String(irVersion),
    opsets: [...new Set(opsets.map(({ domain, version }) => `${domain} ${version}`))].join(", "),
    operators: countOperators(graph.nodes.map((node) => node.opType)),
  };
  if (externalData.length > 0) details["externalData"] = externalData.join(", ");
  return details;
}

/** @returns the most frequent operators: `Conv 53, Relu 49, Add 16`. */
function countOperators(opTypes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const opType of opTypes) counts.set(opType, (counts.get(opType) ?? 0) + 1);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, OPERATORS_LISTED_MAX)
    .map(([opType, count]) => `${opType} ${count}`)
    .join(", ");
}
