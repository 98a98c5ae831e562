import { FieldCursor, ProtobufError } from "./protobuf.ts";

/**
 * What Millrace reads of an ONNX file itself, before onnxruntime does: names, types and operators, no weights.
 * Field numbers are those of onnx.proto: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
export interface OnnxModel {
  readonly irVersion: number;
  /** `name version` of the exporter; empty when the file does not say. */
  readonly producer: string;
  readonly opsets: readonly { readonly domain: string; readonly version: number }[];
  readonly graph: OnnxGraph;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  /** Without initializers, which files before IR version 4 list among the inputs. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

export interface OnnxNode {
  readonly opType: string;
  /** `ai.onnx` for the standard operators, which a file writes as "". */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** The encoded NodeProto, a view on the file: `readLabels` looks inside. */
  readonly encoded: Uint8Array;
}

export interface OnnxValue {
  readonly name: string;
  readonly type: OnnxType;
}

export type OnnxType =
  | { readonly kind: "tensor"; readonly elementType: number; readonly hasShape: boolean }
  | { readonly kind: "sequence" | "map" | "optional" | "sparse tensor" | "opaque" | "unknown" };

export const MODEL_FIELD = {
  irVersion: 1,
  producerName: 2,
  producerVersion: 3,
  graph: 7,
  opset: 8,
};
export const GRAPH_FIELD = { node: 1, initializer: 5, input: 11, output: 12 };
const NODE_FIELD = { input: 1, output: 2, opType: 4, attribute: 5, domain: 7 };
const TENSOR_NAME_FIELD = 8;

const TYPE_KINDS: Readonly<Record<number, Exclude<OnnxType["kind"], "tensor">>> = {
  4: "sequence",
  5: "map",
  7: "opaque",
  8: "sparse tensor",
  9: "optional",
};

/**
 * Reads the parts above out of a ModelProto. Nodes keep views on `bytes`, so drop the result to free them.
 * @throws ProtobufError when the bytes are cut off, are no protobuf message or hold no graph.
 */
export function readOnnxModel(bytes: Uint8Array): OnnxModel {
  const cursor = new FieldCursor(bytes);
  const opsets: { domain: string; version: number }[] = [];
  let irVersion = 0;
  const producer = ["", ""];
  let graph: Uint8Array | undefined;
  while (cursor.next()) {
    switch (cursor.number) {
      case MODEL_FIELD.irVersion:
        irVersion = Number(cursor.int64());
        break;
      case MODEL_FIELD.producerName:
        producer[0] = cursor.text();
        break;
      case MODEL_FIELD.producerVersion:
        producer[1] = cursor.text();
        break;
      case MODEL_FIELD.opset:
        opsets.push(readOpset(cursor.bytes()));
        break;
      case MODEL_FIELD.graph:
        // Other readers would merge the two; what we check must be what they run.
        if (graph !== undefined) throw new ProtobufError("it holds two graphs");
        graph = cursor.bytes();
        break;
    }
  }
  if (graph === undefined) throw new ProtobufError("it holds no graph");
  return { irVersion, producer: producer.join(" ").trim(), opsets, graph: readGraph(graph) };
}

/** @returns the class labels of a classifier or ZipMap node as text, or undefined when it has none. */
export function readLabels(node: OnnxNode): readonly string[] | undefined {
  const cursor = new FieldCursor(node.encoded);
  while (cursor.next()) {
    if (cursor.number !== NODE_FIELD.attribute) continue;
    const labels = readLabelsAttribute(cursor.bytes());
    if (labels !== undefined && labels.length > 0) return labels;
  }
  return undefined;
}

/** `classlabels_ints` is what SVMClassifier and LinearClassifier call what the others call `…_int64s`. */
const LABEL_ATTRIBUTES = new Set(["classlabels_strings", "classlabels_int64s", "classlabels_ints"]);
const ATTRIBUTE_FIELD = { name: 1, ints: 8, strings: 9 };

function readLabelsAttribute(attribute: Uint8Array): string[] | undefined {
  const cursor = new FieldCursor(attribute);
  const labels: string[] = [];
  while (cursor.next()) {
    switch (cursor.number) {
      case ATTRIBUTE_FIELD.name:
        // The name is written first, so the long weight lists of other attributes are never walked.
        if (!LABEL_ATTRIBUTES.has(cursor.text())) return undefined;
        break;
      case ATTRIBUTE_FIELD.ints:
        for (const label of cursor.int64s()) labels.push(label.toString());
        break;
      case ATTRIBUTE_FIELD.strings:
        labels.push(cursor.text());
        break;
    }
  }
  return labels;
}

function readGraph(bytes: Uint8Array): OnnxGraph {
  const cursor = new FieldCursor(bytes);
  const nodes: OnnxNode[] = [];
  const inputs: OnnxValue[] = [];
  const outputs: OnnxValue[] = [];
  const initializers = new Set<string>();
  while (cursor.next()) {
    switch (cursor.number) {
      case GRAPH_FIELD.node:
        nodes.push(readNode(cursor.bytes()));
        break;
      case GRAPH_FIELD.initializer:
        initializers.add(readText(cursor.bytes(), TENSOR_NAME_FIELD));
        break;
      case GRAPH_FIELD.input:
        inputs.push(readValue(cursor.bytes()));
        break;
      case GRAPH_FIELD.output:
        outputs.push(readValue(cursor.bytes()));
        break;
    }
  }
  return { nodes, inputs: inputs.filter((input) => !initializers.has(input.name)), outputs };
}

function readNode(encoded: Uint8Array): OnnxNode {
  const cursor = new FieldCursor(encoded);
  const inputs: string[] = [];
  const outputs: string[] = [];
  let opType = "";
  let domain = "";
  while (cursor.next()) {
    switch (cursor.number) {
      case NODE_FIELD.input:
        inputs.push(cursor.text());
        break;
      case NODE_FIELD.output:
        outputs.push(cursor.text());
        break;
      case NODE_FIELD.opType:
        opType = cursor.text();
        break;
      case NODE_FIELD.domain:
        domain = cursor.text();
        break;
    }
  }
  return { opType, domain: domain === "" ? "ai.onnx" : domain, inputs, outputs, encoded };
}

function readValue(valueInfo: Uint8Array): OnnxValue {
  const cursor = new FieldCursor(valueInfo);
  let name = "";
  let type: OnnxType = { kind: "unknown" };
  while (cursor.next()) {
    if (cursor.number === 1) name = cursor.text();
    if (cursor.number === 2) type = readType(cursor.bytes());
  }
  return { name, type };
}

function readType(typeProto: Uint8Array): OnnxType {
  const cursor = new FieldCursor(typeProto);
  let type: OnnxType = { kind: "unknown" };
  while (cursor.next()) {
    const kind = TYPE_KINDS[cursor.number];
    if (kind !== undefined) type = { kind };
    if (cursor.number === 1) type = readTensorType(cursor.bytes());
  }
  return type;
}

function readTensorType(tensorType: Uint8Array): OnnxType {
  const cursor = new FieldCursor(tensorType);
  let elementType = 0;
  let hasShape = false;
  while (cursor.next()) {
    if (cursor.number === 1) elementType = Number(cursor.int64());
    if (cursor.number === 2) hasShape = true;
  }
  return { kind: "tensor", elementType, hasShape };
}

function readOpset(operatorSetId: Uint8Array): { domain: string; version: number } {
  const cursor = new FieldCursor(operatorSetId);
  let domain = "";
  let version = 0;
  while (cursor.next()) {
    if (cursor.number === 1) domain = cursor.text();
    if (cursor.number === 2) version = Number(cursor.int64());
  }
  return { domain: domain === "" ? "ai.onnx" : domain, version };
}

/** The last value of a text field, as protobuf reads repeated occurrences of a singular field. */
function readText(message: Uint8Array, field: number): string {
  const cursor = new FieldCursor(message);
  let text = "";
  while (cursor.next()) if (cursor.number === field) text = cursor.text();
  return text;
}
