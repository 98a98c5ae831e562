import { MillraceError } from "../../core/errors.ts";
import { isParameterOff, type InferParameters } from "../../core/tensor/infer-parameters.ts";
import type { Priority } from "../../core/batch/batch.ts";

type Location = readonly (string | number)[];

/** What the parameters of a request ask for. */
export interface InferOptions {
  /** undefined leaves it to the server. */
  readonly priority: Priority | undefined;
  /** Time the client allows; undefined leaves it to the service. */
  readonly timeoutMs: number | undefined;
  /** Do outputs that say nothing themselves come as binary data? Only HTTP asks. */
  readonly isBinaryByDefault: boolean;
}

/** The least urgent priority; 1 is the most urgent. */
export const PRIORITY_LAST: Priority = 3;

const SEQUENCE_PARAMETERS = new Set(["sequence_id", "sequence_start", "sequence_end"]);

/** The one `triton_…` parameter that a client may send: it asks for a last, empty reply on a stream. */
const EMPTY_FINAL_RESPONSE = "triton_enable_empty_final_response";

const NOTHING: InferOptions = {
  priority: undefined,
  timeoutMs: undefined,
  isBinaryByDefault: false,
};

/**
 * Reads the reserved parameters of an inference request; others are the client's own and accepted as they are.
 * @param parameters undefined when there are none.
 * @param location of the parameters in the request.
 * @throws INVALID_BODY for a reserved key that clients must not send and for a wrong value, NOT_IMPLEMENTED for
 * sequences.
 */
export function readInferOptions(
  parameters: InferParameters | undefined,
  location: Location = ["body", "parameters"],
): InferOptions {
  if (parameters === undefined) return NOTHING;
  const { priority, timeout, binary_data_output: binary } = parameters;
  for (const key of Object.keys(parameters)) {
    if (key === "headers" || (key.startsWith("triton_") && key !== EMPTY_FINAL_RESPONSE)) {
      throw invalid([...location, key], "reserved, a client must not send it");
    }
    if (SEQUENCE_PARAMETERS.has(key) && !isParameterOff(parameters[key])) {
      const message = "this version does not serve sequences";
      throw new MillraceError("NOT_IMPLEMENTED", `Cannot use parameter "${key}": ${message}`, {
        problems: [{ location: [...location, key], message, type: "parameter" }],
      });
    }
  }
  if (binary !== undefined && typeof binary !== "boolean") {
    throw invalid([...location, "binary_data_output"], "expected true or false");
  }
  return {
    priority: readPriority(priority, location),
    timeoutMs: readTimeout(timeout, location),
    isBinaryByDefault: binary ?? false,
  };
}

/** 0 is the default level, 1 the most urgent. */
function readPriority(
  value: InferParameters[string] | undefined,
  location: Location,
): Priority | undefined {
  if (value === undefined) return undefined;
  const priority = wholeNumber(value);
  if (priority === 0) return undefined;
  if (priority === 1 || priority === 2 || priority === 3) return priority;
  const message = `found ${JSON.stringify(String(value))}, expected 0 (the default) or 1 (most urgent) to ${PRIORITY_LAST}`;
  throw invalid([...location, "priority"], message);
}

/** Microseconds; 0 sets no limit. */
function readTimeout(
  value: InferParameters[string] | undefined,
  location: Location,
): number | undefined {
  if (value === undefined) return undefined;
  const timeoutUs = wholeNumber(value);
  if (timeoutUs === undefined || timeoutUs < 0) {
    const message = `found ${JSON.stringify(String(value))}, expected whole microseconds of at least 0`;
    throw invalid([...location, "timeout"], message);
  }
  return timeoutUs === 0 ? undefined : timeoutUs / 1000;
}

function wholeNumber(value: InferParameters[string]): number | undefined {
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  const number = Number(value);
  return Number.isInteger(number) ? number : undefined;
}

function invalid(location: Location, message: string): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type: "parameter" }],
  });
}
