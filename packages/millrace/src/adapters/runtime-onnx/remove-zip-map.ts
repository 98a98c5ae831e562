import type { OnnxGraph, OnnxModel, OnnxNode } from "./onnx-model.ts";
import { GRAPH_FIELD, MODEL_FIELD, readLabels } from "./onnx-model.ts";
import { concatBytes, encodeBytesField, encodeIntegerField, encodeTextField } from "./protobuf.ts";
import { FieldCursor } from "./protobuf.ts";

/**
 * Classifiers exported by skl2onnx with default options end in a ZipMap, which turns the tensor of
 * probabilities into a list of dictionaries: a type that onnxruntime-node cannot return ("Non tensor type is
 * temporarily not supported", onnxruntime #8007). The rewrite takes such nodes out and makes their input,
 * `[batch, class]` FP32, the output. All other bytes of the file stay as they are.
 */
export interface ZipMapRemoval {
  /** The changed model; the bytes that were given when there was nothing to remove. */
  readonly bytes: Uint8Array;
  readonly removed: readonly RemovedZipMap[];
}

export interface RemovedZipMap {
  /** Output name in the file. */
  readonly oldOutput: string;
  /** The tensor that takes its place, under the name it has inside the graph. */
  readonly newOutput: string;
  readonly labels: readonly string[];
}

export function removeZipMaps(bytes: Uint8Array, model: OnnxModel): ZipMapRemoval {
  const zipMaps = findZipMaps(model.graph);
  if (zipMaps.size === 0) return { bytes, removed: [] };

  const parts: Uint8Array[] = [];
  const cursor = new FieldCursor(bytes);
  while (cursor.next()) {
    if (cursor.number === MODEL_FIELD.graph) {
      parts.push(encodeBytesField(MODEL_FIELD.graph, rewriteGraph(cursor.bytes(), model, zipMaps)));
    } else {
      parts.push(cursor.encoded());
    }
  }
  return { bytes: concatBytes(parts), removed: [...zipMaps.values()] };
}

/** ZipMaps whose result leaves the model; one that feeds another node only is onnxruntime's own business. */
function findZipMaps(graph: OnnxGraph): Map<OnnxNode, RemovedZipMap> {
  const found = new Map<OnnxNode, RemovedZipMap>();
  const outputNames = new Set(graph.outputs.map((output) => output.name));
  for (const node of graph.nodes) {
    if (node.opType !== "ZipMap" || node.domain !== "ai.onnx.ml") continue;
    const labels = readLabels(node);
    const [newOutput] = node.inputs;
    const [oldOutput] = node.outputs;
    if (labels === undefined || newOutput === undefined || oldOutput === undefined) continue;
    if (outputNames.has(oldOutput)) found.set(node, { oldOutput, newOutput, labels });
  }
  return found;
}

function rewriteGraph(
  graphBytes: Uint8Array,
  { graph }: OnnxModel,
  zipMaps: ReadonlyMap<OnnxNode, RemovedZipMap>,
): Uint8Array {
  const replacements = new Map([...zipMaps.values()].map((entry) => [entry.oldOutput, entry]));
  // Two ZipMaps may share an input, and that input may be an output already: each name is listed once.
  const kept = graph.outputs.filter((output) => !replacements.has(output.name));
  const listed = new Set(kept.map((output) => output.name));

  const parts: Uint8Array[] = [];
  const cursor = new FieldCursor(graphBytes);
  let nodeIndex = 0;
  let outputIndex = 0;
  while (cursor.next()) {
    if (cursor.number === GRAPH_FIELD.node) {
      const node = graph.nodes[nodeIndex++]!;
      if (!zipMaps.has(node)) parts.push(cursor.encoded());
    } else if (cursor.number === GRAPH_FIELD.output) {
      const replacement = replacements.get(graph.outputs[outputIndex++]!.name);
      if (replacement === undefined) {
        parts.push(cursor.encoded());
      } else if (!listed.has(replacement.newOutput)) {
        listed.add(replacement.newOutput);
        parts.push(encodeBytesField(GRAPH_FIELD.output, floatTensorInfo(replacement.newOutput)));
      }
    } else {
      parts.push(cursor.encoded());
    }
  }
  return concatBytes(parts);
}

const FLOAT = 1;

/**
 * A ValueInfoProto without a shape: onnxruntime infers it, and a shape of ours that disagrees with it would
 * make the model fail to load.
 */
function floatTensorInfo(name: string): Uint8Array {
  const tensorType = encodeBytesField(1, encodeIntegerField(1, FLOAT));
  return concatBytes([encodeTextField(1, name), encodeBytesField(2, tensorType)]);
}
