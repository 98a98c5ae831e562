import { MillraceError } from "../errors.ts";
import { fitsShape, type Tensor, type TensorSpec } from "../tensor/tensor.ts";
import { specText } from "./spec-text.ts";

/** Where one input of a step comes from. */
export interface Edge {
  /** Index of the source among those that were offered. */
  readonly source: number;
  /** Index of the output among those of the source. */
  readonly index: number;
  /** Name of that output: one that stands before it may be missing. */
  readonly from: string;
  /** The input it becomes. */
  readonly target: TensorSpec;
  /** Only each run can tell whether the shape fits. */
  readonly isShapeOpen: boolean;
}

/** Can a tensor of `given` be one of `target`? */
export function fitsSpec(given: TensorSpec, target: TensorSpec): boolean {
  return given.datatype === target.datatype && mergeShapes(given.shape, target.shape) !== undefined;
}

/** The shape that fits both, where −1 fits any extent; undefined when there is none. */
export function mergeShapes(a: readonly number[], b: readonly number[]): number[] | undefined {
  if (a.length !== b.length) return undefined;
  const merged: number[] = [];
  for (const [axis, extent] of a.entries()) {
    const other = b[axis] as number;
    if (extent !== other && extent !== -1 && other !== -1) return undefined;
    merged.push(extent === -1 ? other : extent);
  }
  return merged;
}

/** An edge between specs that fit. */
export function edgeOf(
  at: { readonly source: number; readonly index: number },
  given: TensorSpec,
  target: TensorSpec,
): Edge {
  const isShapeOpen = given.shape.some((extent, axis) => {
    return extent === -1 && target.shape[axis] !== -1;
  });
  return { ...at, from: given.name, target, isShapeOpen };
}

/** @returns the tensor the edge begins at; undefined when its branch is missing. */
export function tensorAt(edge: Edge, tensors: readonly Tensor[]): Tensor | undefined {
  const tensor = tensors[edge.index];
  if (tensor?.name === edge.from) return tensor;
  return tensors.find(({ name }) => name === edge.from);
}

/** The tensor as the input it becomes; its elements are shared. @throws MODEL_FAILED when its shape does not fit. */
export function carry(tensor: Tensor, { target, isShapeOpen }: Edge): Tensor {
  if (isShapeOpen && !fitsShape(tensor.shape, target.shape)) {
    throw new MillraceError(
      "MODEL_FAILED",
      `Cannot predict: ${specText(tensor)} does not fit input ${specText(target)}`,
    );
  }
  return tensor.name === target.name ? tensor : { ...tensor, name: target.name };
}
