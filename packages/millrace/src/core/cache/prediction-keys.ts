import type { Tensor } from "../tensor/tensor.ts";
import { KeyWriter, type Sha256 } from "./key-writer.ts";

/** Changes when the same things would be written in another way. */
const SCHEMA = "prediction 1";

const NONE: readonly string[] = [];

/**
 * Keys of the predictions of one model version, or of one graph. Two predictions have the same key only when nothing
 * that decides the answer differs: what answers, the inputs bit for bit, the outputs that are asked for, the parameters.
 * An id of the request is never part of it.
 */
export class PredictionKeys {
  readonly #identity: readonly string[];
  readonly #writer: KeyWriter;
  /** The outputs that were asked for last, mostly the same array each time, and the digest of what comes before inputs. */
  #outputNames: readonly string[] | undefined;
  #prefix = "";

  /**
   * @param identity what answers, in a fixed order: name, version and digest of the model; of a graph those of all its
   * models, the digests of its files and the settings of its steps.
   */
  constructor(identity: readonly string[], sha256: Sha256) {
    this.#identity = identity;
    this.#writer = new KeyWriter(sha256);
  }

  /**
   * @param inputs in the order of what answers.
   * @param outputNames in the order they are answered in; the same array as last time is recognised, which is faster.
   * @param parameters whatever else of the request changes the result, in a fixed order.
   * @returns `p:` and 64 hex digits.
   */
  keyOf(
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    parameters: readonly string[] = NONE,
  ): string {
    const writer = this.#writer;
    const prefix = this.#prefixOf(outputNames);
    writer.digest(prefix);
    writer.texts(parameters);
    writer.number(inputs.length);
    for (const { name, datatype, shape, data } of inputs) {
      writer.text(name);
      writer.text(datatype);
      writer.number(shape.length);
      for (const extent of shape) writer.number(extent);
      writer.elements(data, 0, data.length);
    }
    return `p:${writer.finish()}`;
  }

  #prefixOf(outputNames: readonly string[]): string {
    if (outputNames === this.#outputNames) return this.#prefix;
    const writer = this.#writer;
    writer.text(SCHEMA);
    writer.texts(this.#identity);
    writer.texts(outputNames);
    this.#outputNames = outputNames;
    this.#prefix = writer.finish();
    return this.#prefix;
  }
}
