import type { JsonValue } from "../json.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Keys of objects and indexes of lists, outermost first. */
export type JsonPath = readonly (string | number)[];

/**
 * What a rule may look at. A front end reads each attribute only when it is asked for, so a rule that looks at
 * nothing dear costs nothing; a rule set asks for each header, parameter and cookie once. No method throws; what is
 * not there, or cannot be read, is undefined.
 */
export interface Attributes {
  /** In upper case: `POST`. */
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** @param name in lower case. */
  header(name: string): string | undefined;
  /** The first value of that name, decoded: `readQuery` does it. */
  query(name: string): string | undefined;
  /** The first value of that name: `readCookie` does it. */
  cookie(name: string): string | undefined;
  /** The value at a path of the body's JSON, as `valueAtPath` finds it; undefined also when the body is no JSON. */
  body(path: JsonPath): JsonValue | undefined;
  /** An input of the switch whose condition it is. Absent in rules, which are asked before any step has run. */
  input?(name: string): Tensor | undefined;
  /** Name of the API key that the caller showed. */
  readonly caller: string | undefined;
  /** What percentages go by: requests of one unit get the same. Where nothing identifies the caller, the prediction id. */
  readonly unit: string;
}
