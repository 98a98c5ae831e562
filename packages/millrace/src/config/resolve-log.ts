import { resolve } from "node:path";
import type { Redaction } from "../core/predictions/redaction.ts";
import type { PredictionLogConfig, ServiceLogConfig } from "./config.ts";
import type { RequestValue } from "./request-value.ts";
import type { ConfigOutput } from "./schema.ts";

type WrittenLog = ConfigOutput["log"];
type WrittenServiceLog = ConfigOutput["services"][string]["log"];

export function resolvePredictionLog(log: WrittenLog, folder: string): PredictionLogConfig {
  const { text, durability, retention } = log;
  return {
    sink: log.sink,
    text:
      text === undefined
        ? undefined
        : { path: resolve(folder, text.path), sizeBytesMax: text.sizeMax, keep: text.keep },
    durability:
      typeof durability === "number"
        ? { kind: "interval", everyMs: durability }
        : { kind: durability },
    whenFull: log.whenFull,
    rollMs: log.roll,
    walBytesMax: log.walMax,
    diskFreeMin: log.diskFree,
    retention: {
      rowsMs: retention.rows,
      payloadMs: retention.payload,
      isHeld: retention.hold,
    },
    redact: Object.fromEntries(
      Object.entries(log.redact).map(([name, written]) => [name, resolveRedaction(written)]),
    ),
    key: log.key,
    feedbackWindowMs: log.feedback.window,
    query: { timeoutMs: log.query.timeout, memoryBytesMax: log.query.memoryMax },
  };
}

function resolveRedaction(written: WrittenLog["redact"][string]): Redaction {
  if (typeof written === "string") return { kind: written };
  const { bucket } = written;
  return {
    kind: "bucket",
    by: typeof bucket === "number" ? bucket : bucket.toSorted((a, b) => a - b),
  };
}

export function resolveServiceLog(log: WrittenServiceLog): ServiceLogConfig {
  const { payload, sample, fields, unit, attributes, outlier } = log;
  return {
    payload,
    sample,
    fields,
    unit: unit === undefined ? undefined : readRequestValue(unit),
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, written]) => [name, readRequestValue(written)]),
    ),
    outlier,
  };
}

/** @param text `header.x-user-id`, which the schema has checked. */
export function readRequestValue(text: string): RequestValue {
  const [from, ...rest] = text.split(".");
  if (from === "body" || from === "jwt") return { from, path: rest };
  const name = rest.join(".");
  return { from: from as "header", name: from === "header" ? name.toLowerCase() : name };
}
