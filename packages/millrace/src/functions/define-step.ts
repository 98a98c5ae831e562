import type { Declared, FunctionContext, GivenOptions, GivenValues, ValuesOf } from "./declared.ts";

/** A function between models: from tensors to tensors. */
export interface StepDefinition<I extends Declared, O extends Declared> extends GivenOptions<O> {
  readonly inputs: I;
  /** @throws InvalidInput when the caller is to be told what is wrong with its values. */
  run(inputs: ValuesOf<I>, context: FunctionContext): GivenValues<O> | Promise<GivenValues<O>>;
}

/**
 * Declares a step of your own, for `function: ./scale.ts`; returns its argument.
 *
 * @example
 * export default defineStep({
 *   inputs: { cm: { datatype: "FP32", shape: [-1, 4] } },
 *   outputs: { mm: { datatype: "FP32", shape: [-1, 4] } },
 *   run: ({ cm }) => ({ mm: { shape: cm.shape, data: cm.data.map((value) => value * 10) } }),
 * });
 */
export function defineStep<const I extends Declared, const O extends Declared>(
  definition: StepDefinition<I, O>,
): StepDefinition<I, O> {
  return definition;
}
