import type { RequestValue } from "../../config/request-value.ts";
import type { KeyedHash } from "../../core/predictions/redaction.ts";
import type { Attributes } from "../../core/rules/attributes.ts";
import type { ChosenArm } from "../experiments/service-experiment.ts";
import { requestText } from "../request-values.ts";

export interface LoggedRequest {
  readonly arm: ChosenArm | undefined;
  /** Undefined where there is no request to read, as of the library. */
  readonly attributes: Attributes | undefined;
}

/**
 * Keyed hash of whom a request is for. That of its exposure, where an experiment knows it: `log.unit` is only the first
 * place where an experiment may find its unit, and rows and exposures are found together by it.
 * @param unit `log.unit`. @returns undefined when nobody is named.
 */
export function unitHashOf(
  { arm, attributes }: LoggedRequest,
  unit: RequestValue | undefined,
  hash: KeyedHash,
): string | undefined {
  if (arm?.unit !== undefined) return arm.unit.hash;
  if (unit === undefined || attributes === undefined) return undefined;
  const text = requestText(attributes, unit);
  return text === undefined ? undefined : hash(text);
}
