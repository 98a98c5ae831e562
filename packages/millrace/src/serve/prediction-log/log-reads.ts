import type { ServiceLogConfig } from "../../config/config.ts";
import type { Reads } from "../../models/predictor.ts";
import { readsOfValues } from "../request-values.ts";

/** What is to be read of a request so that it can be logged. */
export function logReadsOf({ payload, unit, attributes }: ServiceLogConfig): Reads {
  if (payload === "off") return "nothing";
  const values = Object.values(attributes);
  return readsOfValues(unit === undefined ? values : [...values, unit]);
}
