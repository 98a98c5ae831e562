import type { RequestValue, ServiceLogConfig } from "../../config/config.ts";
import { textOf } from "../../core/predictions/redaction.ts";
import type { Attributes } from "../../core/rules/attributes.ts";
import type { Reads } from "../../models/predictor.ts";

/** A value of a request as text; undefined when it is not there. */
export function requestText(attributes: Attributes, value: RequestValue): string | undefined {
  if (value.from !== "body") return attributes[value.from](value.name);
  const found = attributes.body(value.path);
  return found === undefined || found === null ? undefined : textOf(found);
}

/** What is to be read of a request so that it can be logged. */
export function logReadsOf({ payload, unit, attributes }: ServiceLogConfig): Reads {
  if (payload === "off") return "nothing";
  const values = [...Object.values(attributes), ...(unit === undefined ? [] : [unit])];
  if (values.length === 0) return "nothing";
  return values.some(({ from }) => from === "body") ? "body" : "head";
}
