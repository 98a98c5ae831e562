import type {
  Declared,
  Element,
  FunctionContext,
  GivenOptions,
  Nested,
  Storage,
} from "./declared.ts";

/** One row of each output: a value, nested arrays, or the elements one after the other. */
export type LoadedRecord<O extends Declared> = {
  readonly [Name in keyof O]: Element | Nested | Storage[O[Name]["datatype"]];
};

/** What was found: in the order of the keys, or by key. A key that has nothing has none, undefined or null. */
export type LoadedRecords<O extends Declared> =
  | readonly (LoadedRecord<O> | undefined | null)[]
  | ReadonlyMap<string, LoadedRecord<O> | undefined | null>;

/** A function that fetches what belongs to keys. */
export interface LoadDefinition<O extends Declared> extends GivenOptions<O> {
  /** Name of the input that holds the keys: text, one a row. */
  readonly key: string;
  /** @param keys of all rows of the request, in their order; one may stand there twice. */
  load(
    keys: readonly string[],
    context: FunctionContext,
  ): LoadedRecords<O> | Promise<LoadedRecords<O>>;
}

/**
 * Declares a step that fetches data by key, for `load: ./features.ts`; returns its argument.
 *
 * @example
 * export default defineLoad({
 *   key: "id",
 *   outputs: { features: { datatype: "FP32", shape: [-1, 4] } },
 *   load: (ids) => ids.map((id) => FEATURES[id]),
 * });
 */
export function defineLoad<const O extends Declared>(
  definition: LoadDefinition<O>,
): LoadDefinition<O> {
  return definition;
}
