import { readExactJson } from "../core/exact-json.ts";
import type { LoggedPrediction } from "../core/predictions/logged-prediction.ts";
import { rowsOf } from "../core/predictions/log-rows.ts";
import type { LoggedRequest, LoggedRow } from "./logged-request.ts";

/** A record as it is read back from the log, without one. */
export function readRowsOf(record: LoggedPrediction): LoggedRequest {
  const [first, ...others] = rowsOf(record, "test").map((row): LoggedRow => {
    const json = (text: string | null) => (text === null ? undefined : readExactJson(text));
    return {
      receivedUs: row.ts,
      predictionId: row.prediction_id.split("#")[0] as string,
      isPart: row.prediction_id.includes("#"),
      rowIndex: row.row_index,
      rowCount: row.row_count,
      role: row.role,
      errorCode: row.error_code ?? undefined,
      inferUs: row.infer_us,
      totalUs: row.total_us,
      policy: row.policy ?? undefined,
      features: json(row.features) ?? null,
      prediction: json(row.prediction),
      label: row.label ?? undefined,
    };
  });
  if (first === undefined) throw new Error("a record is at least one row");
  return { rows: [first, ...others] };
}
