import type { Datatype } from "../tensor/datatype.ts";
import type { PayloadState } from "./logged-prediction.ts";

/**
 * A block of the table `predictions`. Numbers are little-endian; `varint` has seven bits a byte, the lowest first, the
 * eighth says that more follow; `text` is a varint of its bytes and UTF-8; an optional part is there when its flag is.
 *
 *     block    u32 MAGIC · u32 records · u32 offset of the contexts · record … · contexts
 *     contexts JSON: a list of LogContext
 *     record   u32 bytes behind this number
 *              varint index of its context · u16 flags · u8 payload state · f64 receivedUs
 *              varint queueUs · batchUs · inferUs · totalUs · rowCount
 *              text predictionId · requestId? · traceId? · errorCode? · unitHash?
 *              f64 outlierScore? · weight?
 *              text facts? · tensors inputs? · outputs? · summary labels? · scores?
 *     tensors  varint count · tensor …
 *     tensor   text name · u8 datatype · u8 rank · varint extent …
 *              elements: as they lie in memory, of BYTES one text each
 *     labels   varint count · text …          scores   varint count · f64 …
 */
export const BLOCK_MAGIC = 0x31424c4d; // "MLB1"

export const HEADER_BYTES = 12;

/** Index is the code; new ones go to the end. */
export const DATATYPE_CODES: readonly Datatype[] = [
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "BF16",
  "FP32",
  "FP64",
  "BYTES",
];

/** Index is the code; new ones go to the end. */
export const PAYLOAD_CODES: readonly PayloadState[] = [
  "full",
  "off",
  "shed",
  "too_large",
  "failed",
];

export const FLAGS = {
  requestId: 1 << 0,
  traceId: 1 << 1,
  errorCode: 1 << 2,
  unitHash: 1 << 3,
  /** Is it said whether it is an outlier? */
  outlierKnown: 1 << 4,
  outlier: 1 << 5,
  outlierScore: 1 << 6,
  /** Absent is 1. */
  weight: 1 << 7,
  facts: 1 << 8,
  inputs: 1 << 9,
  outputs: 1 << 10,
  summary: 1 << 11,
  labels: 1 << 12,
  scores: 1 << 13,
} as const;

/** A varint of a whole number below 2^53 is at most this long. */
export const VARINT_BYTES_MAX = 8;
