import type { Tensor } from "../tensor/tensor.ts";
import { KeyWriter, type Sha256 } from "./key-writer.ts";

/** Changes when the same things would be written in another way. */
const SCHEMA = "data 1";

/** Keys of the rows that some steps fetch or prepare: the steps, and the value that says which data is meant. */
export class DataKeys {
  readonly #prefix: string;
  readonly #writer: KeyWriter;

  /** @param identity differs when the same key may give other data: digests of the steps' files and settings. */
  constructor(identity: string, sha256: Sha256) {
    this.#writer = new KeyWriter(sha256);
    this.#writer.text(SCHEMA);
    this.#writer.text(identity);
    this.#prefix = this.#writer.finish();
  }

  /**
   * @param tensor the value of the key, by row: `[batch, …]`.
   * @returns one per row, `d:` and 64 hex digits.
   */
  keysOf({ datatype, shape, data }: Tensor): string[] {
    const rows = shape[0] as number;
    const rowLength = rows === 0 ? 0 : data.length / rows;
    const writer = this.#writer;
    return Array.from({ length: rows }, (_, row) => {
      writer.digest(this.#prefix);
      writer.text(datatype);
      writer.number(shape.length);
      for (let axis = 1; axis < shape.length; axis++) writer.number(shape[axis] as number);
      writer.elements(data, row * rowLength, rowLength);
      return `d:${writer.finish()}`;
    });
  }
}
