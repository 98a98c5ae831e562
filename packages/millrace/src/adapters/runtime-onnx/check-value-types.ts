import { ModelFileError } from "./model-file-error.ts";
import type { OnnxGraph, OnnxNode, OnnxValue } from "./onnx-model.ts";

/** TensorProto.DataType values that onnxruntime-node cannot carry; all up to 13 it can. */
const UNSUPPORTED_ELEMENTS: Readonly<Record<number, string>> = {
  0: "UNDEFINED",
  14: "COMPLEX64",
  15: "COMPLEX128",
  16: "BFLOAT16",
  17: "FLOAT8E4M3FN",
  18: "FLOAT8E4M3FNUZ",
  19: "FLOAT8E5M2",
  20: "FLOAT8E5M2FNUZ",
  21: "UINT4",
  22: "INT4",
  23: "FLOAT4E2M1",
};
const LAST_SUPPORTED_ELEMENT = 13;

/**
 * Refuses what can be loaded but not called: inputs and outputs that are no tensors, or tensors of a type that
 * JavaScript cannot receive. onnxruntime would only say so at the first request.
 * @throws ModelFileError naming the input or output and the way to export it differently.
 */
export function checkValueTypes(graph: OnnxGraph): void {
  if (graph.outputs.length === 0) throw new ModelFileError("it has no outputs");
  for (const input of graph.inputs) {
    if (input.type.kind !== "tensor") {
      const way = "only tensors can be sent; export the model with tensor inputs";
      throw new ModelFileError(`its input "${input.name}" is of type ${input.type.kind}, ${way}`);
    }
    checkElement("input", input);
    if (!input.type.hasShape) {
      const way = "export it with one, with a symbolic size where it may vary";
      throw new ModelFileError(`its input "${input.name}" has no shape; ${way}`);
    }
  }
  for (const output of graph.outputs) {
    if (output.type.kind === "unknown") continue; // onnxruntime infers it
    if (output.type.kind !== "tensor") {
      const way = wayOut(graph.nodes.find((node) => node.outputs.includes(output.name)));
      throw new ModelFileError(`its output "${output.name}" is a ${output.type.kind}, ${way}`);
    }
    checkElement("output", output);
  }
}

function checkElement(role: "input" | "output", { name, type }: OnnxValue): void {
  if (type.kind !== "tensor") return;
  const { elementType } = type;
  if (elementType > 0 && elementType <= LAST_SUPPORTED_ELEMENT) return;
  const element = UNSUPPORTED_ELEMENTS[elementType] ?? `number ${elementType}`;
  const way = "which cannot be sent or returned; add a Cast to FLOAT when exporting";
  throw new ModelFileError(`its ${role} "${name}" has the element type ${element}, ${way}`);
}

function wayOut(producer: OnnxNode | undefined): string {
  const only = "only tensors can be returned";
  if (producer?.domain === "ai.onnx.ml") {
    return `${only}; export it with skl2onnx options={"zipmap": False}`;
  }
  return `${only}; return a tensor or several named tensors from the model when exporting`;
}
