import { readExactJson } from "../core/exact-json.ts";
import type { JsonValue } from "../core/json.ts";
import type { LoggedRow } from "./logged-request.ts";

const COLUMNS = [
  "epoch_us(ts) AS received_us",
  "split_part(prediction_id, '#', 1) AS request",
  "contains(prediction_id, '#') AS is_part",
  "row_index",
  "row_count",
  "role",
  "error_code",
  "infer_us",
  "total_us",
  "policy",
  "features",
  "prediction",
  "label",
] as const;

/** What to select of the table `predictions`. */
export const LOGGED_ROW_COLUMNS = COLUMNS.join(", ");

/** @param values as selected. */
export function readLoggedRow(values: readonly JsonValue[]): LoggedRow {
  const [receivedUs, request, isPart, rowIndex, rowCount, role, ...rest] = values;
  const [errorCode, inferUs, totalUs, policy, features, prediction, label] = rest;
  return {
    receivedUs: Number(receivedUs),
    predictionId: textOf(request) ?? "",
    isPart: isPart === true,
    rowIndex: Number(rowIndex),
    rowCount: Number(rowCount),
    role: textOf(role) ?? "",
    errorCode: textOf(errorCode),
    inferUs: Number(inferUs),
    totalUs: Number(totalUs),
    policy: textOf(policy),
    features: readExactJson(textOf(features) ?? "null"),
    prediction: typeof prediction === "string" ? readExactJson(prediction) : undefined,
    label: textOf(label),
  };
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" ? value : undefined;
}
