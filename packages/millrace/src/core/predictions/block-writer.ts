import { DATATYPES, type Datatype } from "../tensor/datatype.ts";
import type { Tensor } from "../tensor/tensor.ts";
import {
  BLOCK_MAGIC,
  DATATYPE_CODES,
  FLAGS,
  HEADER_BYTES,
  PAYLOAD_CODES,
  VARINT_BYTES_MAX,
} from "./block-format.ts";
import { ByteWriter, textBytesMax } from "./byte-writer.ts";
import type { LogBlock } from "./log-block.ts";
import { rowCountOf } from "./log-rows.ts";
import type { LogContext, LoggedPrediction, PredictionSummary } from "./logged-prediction.ts";

/** A block is not larger; what does not fit begins the next one. */
const BLOCK_BYTES_MAX = 16 * 1024 * 1024;

const CAPACITY_AT_START = 64 * 1024;

/** Of a record: everything that is not text, tensors or summary. */
const FIXED_BYTES_MAX = 4 + 2 + 1 + 8 + 8 + 8 + 6 * VARINT_BYTES_MAX;

/** Up to this many elements are written one by one. */
const FEW_ELEMENTS = 64;

const CODE_BY_DATATYPE: Readonly<Record<Datatype, number>> = Object.fromEntries(
  DATATYPE_CODES.map((datatype, code) => [datatype, code]),
) as Record<Datatype, number>;

/** Packs predictions into blocks. It copies what it is given, so the tensors' memory may be used again at once. */
export class BlockWriter {
  readonly #bytes = new ByteWriter(CAPACITY_AT_START);
  readonly #bytesMax: number;
  #recordCount = 0;
  #rowCount = 0;
  /** By identity: the same object is the same context. */
  readonly #contexts: LogContext[] = [];
  #lastContext: LogContext | undefined;
  #lastIndex = 0;
  readonly #indexes = new Map<LogContext, number>();

  constructor(bytesMax = BLOCK_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#bytes.at = HEADER_BYTES;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Of the block as it would be taken now, without its contexts. */
  get byteLength(): number {
    return this.#bytes.at;
  }

  /**
   * Appends a record.
   * @param record whole numbers of microseconds, not below 0.
   * @returns false, changing nothing, when the block has no room for it: take the block, and try again. One that is
   * refused by an empty block is too large for any.
   * @throws when a tensor has not the elements its shape says, as when its memory has moved; nothing is added then.
   */
  add(record: LoggedPrediction): boolean {
    const needed = recordBytesMax(record);
    if (this.#bytes.at + needed > this.#bytesMax) return false;
    this.#bytes.reserve(needed);
    const start = this.#bytes.at;
    try {
      this.#record(record);
    } catch (error) {
      this.#bytes.at = start;
      throw error;
    }
    this.#recordCount++;
    this.#rowCount += rowCountOf(record);
    return true;
  }

  /** The block, with memory of its own; the next one begins empty. */
  take(): LogBlock & { readonly rowCount: number } {
    const bytes = this.#bytes;
    const contextsAt = bytes.at;
    const contexts = new TextEncoder().encode(JSON.stringify(this.#contexts));
    bytes.reserve(contexts.length);
    bytes.raw(contexts);
    bytes.u32At(0, BLOCK_MAGIC);
    bytes.u32At(4, this.#recordCount);
    bytes.u32At(8, contextsAt);
    const block = {
      table: "predictions",
      recordCount: this.#recordCount,
      rowCount: this.#rowCount,
      bytes: bytes.copy(),
    } as const;
    this.#forget();
    return block;
  }

  #forget(): void {
    this.#bytes.at = HEADER_BYTES;
    this.#recordCount = 0;
    this.#rowCount = 0;
    this.#contexts.length = 0;
    this.#indexes.clear();
    this.#lastContext = undefined;
  }

  #record(record: LoggedPrediction): void {
    const bytes = this.#bytes;
    const start = bytes.at;
    bytes.at += 4;
    bytes.varint(this.#indexOf(record.context));
    bytes.u16(flagsOf(record));
    bytes.u8(PAYLOAD_CODES.indexOf(record.payload));
    bytes.f64(record.receivedUs);
    bytes.varint(record.queueUs);
    bytes.varint(record.batchUs);
    bytes.varint(record.inferUs);
    bytes.varint(record.totalUs);
    bytes.varint(record.rowCount);
    this.#texts(record);
    if (record.inputs !== undefined) this.#tensors(record.inputs);
    if (record.outputs !== undefined) this.#tensors(record.outputs);
    if (record.summary !== undefined) this.#summary(record.summary);
    bytes.u32At(start, bytes.at - start - 4);
  }

  #texts(record: LoggedPrediction): void {
    const bytes = this.#bytes;
    bytes.text(record.predictionId);
    if (record.requestId !== undefined) bytes.text(record.requestId);
    if (record.traceId !== undefined) bytes.text(record.traceId);
    if (record.errorCode !== undefined) bytes.text(record.errorCode);
    if (record.unitHash !== undefined) bytes.text(record.unitHash);
    if (record.outlierScore !== undefined) bytes.f64(record.outlierScore);
    if (record.weight !== 1) bytes.f64(record.weight);
    if (record.facts !== "") bytes.text(record.facts);
  }

  #indexOf(context: LogContext): number {
    if (context === this.#lastContext) return this.#lastIndex;
    let index = this.#indexes.get(context);
    if (index === undefined) {
      index = this.#contexts.push(context) - 1;
      this.#indexes.set(context, index);
    }
    this.#lastContext = context;
    this.#lastIndex = index;
    return index;
  }

  #tensors(tensors: readonly Tensor[]): void {
    this.#bytes.varint(tensors.length);
    for (let i = 0; i < tensors.length; i++) this.#tensor(tensors[i] as Tensor);
  }

  #tensor({ name, datatype, shape, data }: Tensor): void {
    const bytes = this.#bytes;
    bytes.text(name);
    bytes.u8(CODE_BY_DATATYPE[datatype]);
    bytes.u8(shape.length);
    let elementCount = 1;
    for (let axis = 0; axis < shape.length; axis++) {
      const extent = shape[axis] as number;
      elementCount *= extent;
      bytes.varint(extent);
    }
    if (data.length !== elementCount) {
      throw new Error(
        `Cannot log tensor "${name}": it has ${data.length} elements, not ${elementCount}`,
      );
    }
    if (Array.isArray(data)) {
      for (const text of data) bytes.text(text);
    } else if (data instanceof Float32Array && data.length <= FEW_ELEMENTS) {
      bytes.f32s(data);
    } else {
      bytes.raw(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
  }

  #summary({ labels, scores }: PredictionSummary): void {
    const bytes = this.#bytes;
    if (labels !== undefined) {
      bytes.varint(labels.length);
      for (const label of labels) bytes.text(label);
    }
    if (scores !== undefined) {
      bytes.varint(scores.length);
      for (const score of scores) bytes.f64(score);
    }
  }
}

function flagsOf(record: LoggedPrediction): number {
  const { summary } = record;
  let flags = 0;
  if (record.requestId !== undefined) flags |= FLAGS.requestId;
  if (record.traceId !== undefined) flags |= FLAGS.traceId;
  if (record.errorCode !== undefined) flags |= FLAGS.errorCode;
  if (record.unitHash !== undefined) flags |= FLAGS.unitHash;
  if (record.isOutlier !== undefined) flags |= FLAGS.outlierKnown;
  if (record.isOutlier === true) flags |= FLAGS.outlier;
  if (record.outlierScore !== undefined) flags |= FLAGS.outlierScore;
  if (record.weight !== 1) flags |= FLAGS.weight;
  if (record.facts !== "") flags |= FLAGS.facts;
  if (record.inputs !== undefined) flags |= FLAGS.inputs;
  if (record.outputs !== undefined) flags |= FLAGS.outputs;
  return summary === undefined ? flags : flags | summaryFlagsOf(summary);
}

function summaryFlagsOf({ labels, scores }: PredictionSummary): number {
  const ofLabels = labels === undefined ? 0 : FLAGS.labels;
  const ofScores = scores === undefined ? 0 : FLAGS.scores;
  return FLAGS.summary | ofLabels | ofScores;
}

/** Room that is surely enough for a record. */
function recordBytesMax(record: LoggedPrediction): number {
  let bytes = FIXED_BYTES_MAX + textBytesMax(record.predictionId) + textBytesMax(record.facts);
  if (record.requestId !== undefined) bytes += textBytesMax(record.requestId);
  if (record.traceId !== undefined) bytes += textBytesMax(record.traceId);
  if (record.errorCode !== undefined) bytes += textBytesMax(record.errorCode);
  if (record.unitHash !== undefined) bytes += textBytesMax(record.unitHash);
  if (record.inputs !== undefined) bytes += tensorsBytesMax(record.inputs);
  if (record.outputs !== undefined) bytes += tensorsBytesMax(record.outputs);
  if (record.summary !== undefined) bytes += summaryBytesMax(record.summary);
  return bytes;
}

function summaryBytesMax({ labels, scores }: PredictionSummary): number {
  let bytes = 2 * VARINT_BYTES_MAX + 8 * (scores?.length ?? 0);
  for (const label of labels ?? []) bytes += textBytesMax(label);
  return bytes;
}

/** Room that is surely enough for tensors of a record. */
function tensorsBytesMax(tensors: readonly Tensor[]): number {
  let bytes = VARINT_BYTES_MAX;
  for (let i = 0; i < tensors.length; i++) {
    const { name, datatype, shape, data } = tensors[i] as Tensor;
    bytes += textBytesMax(name) + 2 + shape.length * VARINT_BYTES_MAX;
    if (!Array.isArray(data)) bytes += data.length * DATATYPES[datatype].bytes;
    else for (const text of data) bytes += textBytesMax(text);
  }
  return bytes;
}
