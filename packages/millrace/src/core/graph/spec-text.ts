import type { TensorSpec } from "../tensor/tensor.ts";

/** `"x" FP32 [-1, 4]` */
export function specText(spec: TensorSpec): string {
  return `"${spec.name}" ${typeText(spec)}`;
}

/** `FP32 [-1, 4]` */
export function typeText({ datatype, shape }: Omit<TensorSpec, "name">): string {
  return `${datatype} [${shape.join(", ")}]`;
}
