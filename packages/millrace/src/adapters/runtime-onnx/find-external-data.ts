import { FieldCursor, ProtobufError } from "./protobuf.ts";

/**
 * Which fields of which ONNX message hold a nested message on the way to a tensor. Weights sit in
 * initializers, but also in attributes (Constant, sparse values) and in subgraphs (If, Loop, functions).
 */
const NESTED = {
  model: { 7: "graph", 20: "training", 25: "function" },
  training: { 1: "graph", 2: "graph" },
  function: { 7: "node", 11: "attribute" },
  graph: { 1: "node", 5: "tensor", 15: "sparseTensor" },
  node: { 5: "attribute" },
  attribute: {
    5: "tensor",
    6: "graph",
    10: "tensor",
    11: "graph",
    22: "sparseTensor",
    23: "sparseTensor",
  },
  sparseTensor: { 1: "tensor", 2: "tensor" },
  tensor: { 13: "externalEntry" },
  externalEntry: {},
} as const satisfies Record<string, Record<number, string>>;

type Message = keyof typeof NESTED;

/** The limit of protobuf's own readers. */
const DEPTH_MAX = 100;

/**
 * @returns each external file location that occurs anywhere in the model, once, as written in the file. Also
 * those of tensors that are not marked as external: a location that is checked in vain does no harm.
 */
export function findExternalData(modelBytes: Uint8Array): string[] {
  const locations = new Set<string>();
  walk("model", modelBytes, { depth: 0, locations });
  return [...locations];
}

interface Walk {
  readonly depth: number;
  readonly locations: Set<string>;
}

function walk(message: Message, bytes: Uint8Array, { depth, locations }: Walk): void {
  if (depth > DEPTH_MAX) throw new ProtobufError(`it nests deeper than ${DEPTH_MAX} levels`);
  const nested: Readonly<Record<number, Message>> = NESTED[message];
  const cursor = new FieldCursor(bytes);
  let key = "";
  while (cursor.next()) {
    if (message === "externalEntry") {
      if (cursor.number === 1) key = cursor.text();
      if (cursor.number === 2 && key === "location") locations.add(cursor.text());
      continue;
    }
    const inner = nested[cursor.number];
    if (inner !== undefined) walk(inner, cursor.bytes(), { depth: depth + 1, locations });
  }
}
