import { PROBLEMS_MAX, type Problem } from "../errors.ts";
import type { JsonValue } from "../json.ts";
import { allocate, DATATYPES, type Datatype, type TensorData } from "./datatype.ts";

/**
 * Packs single values, as data frames have them, into typed storage. Here `null` is a missing value and
 * becomes NaN in FP32 and FP64, as the MLflow formats mean it.
 *
 * @param locate path of value `i` in the request. @param problems wrong values are added here, at most
 * `PROBLEMS_MAX`.
 */
export function packValues(
  values: readonly JsonValue[],
  datatype: Datatype,
  locate: (index: number) => Problem["location"],
  problems: Problem[],
): TensorData {
  const data = allocate(datatype, values.length) as (number | bigint | string)[];
  values.forEach((value, i) => {
    const element = toElement(value, datatype);
    if (element !== undefined) data[i] = element;
    else if (problems.length < PROBLEMS_MAX) {
      const message = `found ${describe(value)}, expected ${datatype}`;
      problems.push({ location: locate(i), message, type: "type" });
    }
  });
  return data as TensorData;
}

function toElement(value: JsonValue, datatype: Datatype): number | bigint | string | undefined {
  const row = DATATYPES[datatype];
  switch (row.json) {
    case "boolean":
      return typeof value === "boolean" ? Number(value) : undefined;
    case "string":
      return typeof value === "string" && value.isWellFormed() ? value : undefined;
    case "number":
      return value === null ? NaN : toFinite(value, datatype);
    case "integer": {
      const isWhole = typeof value === "bigint" || Number.isInteger(value);
      if (!isWhole) return undefined;
      const whole = BigInt(value as number | bigint);
      if (whole < row.min || whole > row.max) return undefined;
      return row.bytes === 8 ? whole : Number(whole);
    }
    case "none":
      return undefined;
  }
}

/** @returns undefined for what is no number, or is or in FP32 becomes infinite. NaN stays: a missing value. */
function toFinite(value: JsonValue, datatype: Datatype): number | undefined {
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  const number = Number(value);
  const stored = datatype === "FP32" ? Math.fround(number) : number;
  return Math.abs(stored) === Infinity ? undefined : number;
}

function describe(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object" && value !== null) return "an object";
  const text = typeof value === "bigint" ? value.toString() : JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
