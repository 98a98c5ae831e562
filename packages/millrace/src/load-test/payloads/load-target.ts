/** One kind of request. */
export interface LoadTarget {
  readonly method: string;
  readonly url: string;
  /** In the order they are sent; a name may come twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: LoadBody;
  /** Above 0; of `by-weight` choices. */
  readonly weight: number;
}

/** Bytes, and between them what each request gets of the row table. Only bytes: the same for every request. */
export type LoadBody = readonly BodyPart[];

export type BodyPart =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** The whole row as a JSON array: `[5.1,3.5,1.4,0.2]`. */
  | { readonly kind: "row" }
  /** A JSON array of so many rows; the number is drawn. */
  | { readonly kind: "rows"; readonly sizes: readonly BatchSize[] }
  /** One column of the row as JSON. */
  | { readonly kind: "column"; readonly column: number }
  /** How many rows there are in `rows`: for a shape that stands beside them. */
  | { readonly kind: "count" }
  /** The number of the start. */
  | { readonly kind: "seq" }
  /** A UUID that the seed and the number of the start decide. */
  | { readonly kind: "uuid" };

/** So many rows, or evenly drawn between two numbers of rows, as often as the weight says. */
export interface BatchSize {
  readonly min: number;
  readonly max: number;
  readonly weight: number;
}

/** Rows of a csv, json lines or Parquet file as JSON text; memory that threads share. */
export interface RowTable {
  readonly columns: readonly string[];
  /** UTF-8; cell after cell, row after row, each with a comma behind it. */
  readonly bytes: SharedArrayBuffer;
  /** Begin of each cell, then the end of all: rows × columns + 1 numbers (Uint32). */
  readonly offsets: SharedArrayBuffer;
  /** Which row a start gets: the next one, or one that the seed and its number decide. */
  readonly order: "in-turn" | "random";
}
