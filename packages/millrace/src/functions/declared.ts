import type { Datatype } from "../core/tensor/datatype.ts";

/** Datatype and shape of an input or output; −1 is an extent that may vary, the first one counts rows. */
export interface DeclaredTensor {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

/** What a function takes or gives, by name. */
export type Declared = Readonly<Record<string, DeclaredTensor>>;

/** The array that holds the elements of a datatype. FP16 and BF16 are their raw 16 bits. */
export interface Storage {
  readonly BOOL: Uint8Array;
  readonly UINT8: Uint8Array;
  readonly UINT16: Uint16Array;
  readonly UINT32: Uint32Array;
  readonly UINT64: BigUint64Array;
  readonly INT8: Int8Array;
  readonly INT16: Int16Array;
  readonly INT32: Int32Array;
  readonly INT64: BigInt64Array;
  readonly FP16: Uint16Array;
  readonly BF16: Uint16Array;
  readonly FP32: Float32Array;
  readonly FP64: Float64Array;
  readonly BYTES: string[];
}

/** Elements in row-major order and the extents, outermost first. */
export interface ShapedData<D extends Datatype = Datatype> {
  readonly shape: readonly number[];
  readonly data: Storage[D];
}

/** A value as it may stand in nested arrays. */
export type Element = number | bigint | boolean | string;

/** Nested arrays, the outermost of which are the rows. */
export type Nested = readonly (Element | Nested)[];

/** What a function takes: an array of its own, which it may change. */
export type ValuesOf<D extends Declared> = {
  readonly [Name in keyof D]: ShapedData<D[Name]["datatype"]>;
};

/** What it gives: `{ shape, data }` or nested arrays, which are checked and packed as the output is declared. */
export type GivenValues<D extends Declared> = {
  readonly [Name in keyof D]: ShapedData<D[Name]["datatype"]> | Nested;
};

/** What a function knows of the request it works for. */
export interface FunctionContext {
  /** Aborted when the caller has gone or its deadline has passed: pass it on to whatever waits. */
  readonly signal: AbortSignal;
  /** As in `x-request-id`; undefined where there is none. */
  readonly requestId: string | undefined;
  readonly predictionId: string;
  /** The W3C header of that name, to be sent along to others; undefined where there is none. */
  readonly traceparent: string | undefined;
  /** Rows of the request. */
  readonly rowCount: number;
}

/** What the outputs of a function mean. */
export interface GivenOptions<O extends Declared> {
  readonly outputs: O;
  /** Output that is the prediction, or "all" where all of them together are it; by default the first. */
  readonly prediction?: (keyof O & string) | "all";
  /** Names of the classes of the prediction. */
  readonly labels?: readonly string[];
  /** Element of a row of the prediction that thresholds and `argmax` look at: label or index, by default 0. */
  readonly score?: string | number;
}
