import { ERRORS, type ErrorCode } from "../errors.ts";
import { DATATYPES, storageOver } from "../tensor/datatype.ts";
import { elementCountOf, type Tensor } from "../tensor/tensor.ts";
import { BLOCK_MAGIC, DATATYPE_CODES, FLAGS, HEADER_BYTES, PAYLOAD_CODES } from "./block-format.ts";
import { ByteReader, malformed } from "./byte-reader.ts";
import type { LogContext, LoggedPrediction, PredictionSummary } from "./logged-prediction.ts";
import { readContexts } from "./read-contexts.ts";

/** Up to this many elements are read one by one. */
const FEW_ELEMENTS = 64;

/** A record has this many bytes whatever it says. */
const RECORD_BYTES_MIN = 4 + 1 + 2 + 1 + 8 + 5 + 1;

/**
 * The records of a block, in the order they were added; those of one context have the same object as theirs. Memory and
 * time are bounded by the bytes, whatever they are.
 * @param bytes not kept.
 * @throws when they are not what a `BlockWriter` makes.
 */
export function readBlock(bytes: Uint8Array): LoggedPrediction[] {
  const header = new ByteReader(bytes, 0, bytes.length);
  if (header.u32() !== BLOCK_MAGIC) throw malformed("it does not begin as one");
  const recordCount = header.u32();
  const contextsAt = header.u32();
  if (contextsAt < HEADER_BYTES || contextsAt > bytes.length) {
    throw malformed(`its contexts would be at ${contextsAt}, it has ${bytes.length} bytes`);
  }
  if (recordCount * RECORD_BYTES_MIN > contextsAt - HEADER_BYTES) {
    throw malformed(`${recordCount} records are not there`);
  }
  const contexts = readContexts(bytes.subarray(contextsAt));
  const reader = new ByteReader(bytes, HEADER_BYTES, contextsAt);
  const records: LoggedPrediction[] = [];
  for (let i = 0; i < recordCount; i++) {
    const byteLength = reader.u32();
    const end = reader.at + byteLength;
    records.push(readRecord(reader, contexts));
    if (reader.at !== end) throw malformed(`record ${i} ends at ${reader.at}, not at ${end}`);
  }
  if (reader.left !== 0) throw malformed(`${reader.left} bytes lie behind the last record`);
  return records;
}

function readRecord(reader: ByteReader, contexts: readonly LogContext[]): LoggedPrediction {
  const context = contexts[reader.varint()];
  if (context === undefined) throw malformed("a record has a context that is not there");
  const flags = reader.u16();
  const payload = PAYLOAD_CODES[reader.u8()];
  if (payload === undefined) throw malformed("the state of a payload is unknown");
  const has = (flag: number): boolean => (flags & flag) !== 0;
  return {
    context,
    payload,
    receivedUs: reader.f64(),
    queueUs: reader.varint(),
    batchUs: reader.varint(),
    inferUs: reader.varint(),
    totalUs: reader.varint(),
    rowCount: reader.varint(),
    predictionId: reader.text(),
    requestId: has(FLAGS.requestId) ? reader.text() : undefined,
    traceId: has(FLAGS.traceId) ? reader.text() : undefined,
    errorCode: has(FLAGS.errorCode) ? readErrorCode(reader) : undefined,
    unitHash: has(FLAGS.unitHash) ? reader.text() : undefined,
    isOutlier: has(FLAGS.outlierKnown) ? has(FLAGS.outlier) : undefined,
    outlierScore: has(FLAGS.outlierScore) ? reader.f64() : undefined,
    weight: has(FLAGS.weight) ? reader.f64() : 1,
    facts: has(FLAGS.facts) ? reader.text() : "",
    inputs: has(FLAGS.inputs) ? readTensors(reader) : undefined,
    outputs: has(FLAGS.outputs) ? readTensors(reader) : undefined,
    summary: has(FLAGS.summary) ? readSummary(reader, flags) : undefined,
  };
}

function readErrorCode(reader: ByteReader): ErrorCode {
  const code = reader.text();
  if (!Object.hasOwn(ERRORS, code)) throw malformed("an error code is unknown");
  return code as ErrorCode;
}

function readTensors(reader: ByteReader): Tensor[] {
  const count = reader.count(3);
  return Array.from({ length: count }, () => readTensor(reader));
}

function readTensor(reader: ByteReader): Tensor {
  const name = reader.text();
  const datatype = DATATYPE_CODES[reader.u8()];
  if (datatype === undefined) throw malformed("a datatype is unknown");
  const rank = reader.u8();
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis++) shape.push(reader.varint());
  const elementCount = elementCountOf(shape);
  if (elementCount === undefined) throw malformed("a tensor has too many elements");
  if (datatype === "BYTES") {
    if (elementCount > reader.left) throw malformed(`${elementCount} elements are not there`);
    const data = Array.from({ length: elementCount }, () => reader.text());
    return { name, datatype, shape, data };
  }
  if (datatype === "FP32" && elementCount <= FEW_ELEMENTS) {
    return { name, datatype, shape, data: reader.f32s(elementCount) };
  }
  const bytes = reader.raw(elementCount * DATATYPES[datatype].bytes);
  return { name, datatype, shape, data: storageOver(datatype, bytes, elementCount) };
}

function readSummary(reader: ByteReader, flags: number): PredictionSummary {
  return {
    labels:
      (flags & FLAGS.labels) === 0
        ? undefined
        : Array.from({ length: reader.count(1) }, () => reader.text()),
    scores:
      (flags & FLAGS.scores) === 0
        ? undefined
        : Array.from({ length: reader.count(8) }, () => reader.f64()),
  };
}
