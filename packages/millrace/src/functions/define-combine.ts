import type {
  Declared,
  FunctionContext,
  GivenOptions,
  GivenValues,
  ShapedData,
} from "./declared.ts";

/** What a branch of a parallel gave. */
export interface CombinedBranch {
  /** Its prediction; undefined where all its outputs together are it. */
  readonly prediction: ShapedData | undefined;
  readonly outputs: Readonly<Record<string, ShapedData>>;
  /** Names of the classes of the prediction. */
  readonly labels: readonly string[] | undefined;
}

/** A function that makes one answer of what several branches gave. */
export interface CombineDefinition<O extends Declared> extends GivenOptions<O> {
  /** @param branches by name; one that failed or is switched off is missing, at least one is there. */
  combine(
    branches: Readonly<Record<string, CombinedBranch>>,
    context: FunctionContext,
  ): GivenValues<O> | Promise<GivenValues<O>>;
}

/**
 * Declares how branches become one answer, for `combine: ./highest.ts`; returns its argument.
 *
 * @example
 * export default defineCombine({
 *   outputs: { count: { datatype: "INT32", shape: [-1] } },
 *   combine: (branches, { rowCount }) => ({
 *     count: new Array<number>(rowCount).fill(Object.keys(branches).length),
 *   }),
 * });
 */
export function defineCombine<const O extends Declared>(
  definition: CombineDefinition<O>,
): CombineDefinition<O> {
  return definition;
}
