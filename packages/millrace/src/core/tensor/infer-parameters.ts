import { MillraceError } from "../errors.ts";
import type { JsonValue } from "../json.ts";

/** Parameters of a request, an input or an output of the Open Inference Protocol, by key. */
export type InferParameters = Readonly<Record<string, string | number | bigint | boolean>>;

type Location = readonly (string | number)[];

/** More parameters than any client sends. */
const PARAMETERS_MAX = 1_000;

/**
 * Parameters as they stand in JSON; null is as good as absent, for members and for values.
 * @throws INVALID_BODY when they are no object, or a value is neither text, number, true nor false.
 */
export function parametersOf(
  value: JsonValue | undefined,
  location: Location,
): InferParameters | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalid(location, "expected an object");
  }
  const entries = Object.entries(value);
  if (entries.length > PARAMETERS_MAX) {
    throw invalid(location, `found ${entries.length} parameters, at most ${PARAMETERS_MAX}`);
  }
  const parameters = Object.create(null) as Record<string, InferParameters[string]>;
  for (const [key, parameter] of entries) {
    if (parameter === null) continue;
    if (typeof parameter === "object") {
      throw invalid([...location, key], "expected a string, a number, true or false");
    }
    parameters[key] = parameter as InferParameters[string];
  }
  return parameters;
}

/** Saying "no" to a feature is fine without having it. */
export function isParameterOff(value: InferParameters[string] | undefined): boolean {
  return value === undefined || value === false || value === 0 || value === 0n || value === "";
}

/**
 * Inputs and outputs live in the request, never in memory that a client names.
 * @throws NOT_IMPLEMENTED for every parameter of shared memory.
 */
export function refuseSharedMemory(
  parameters: InferParameters | undefined,
  location: Location,
): void {
  for (const key of Object.keys(parameters ?? {})) {
    if (!key.startsWith("shared_memory_") || isParameterOff(parameters?.[key])) continue;
    const message = "this version does not serve shared memory";
    throw new MillraceError("NOT_IMPLEMENTED", `Cannot use parameter "${key}": ${message}`, {
      problems: [{ location: [...location, key], message, type: "parameter" }],
    });
  }
}

/**
 * A parameter that is a whole number of at least 0.
 * @returns undefined when it is not there. @throws INVALID_BODY when it is something else.
 */
export function wholeParameter(
  parameters: InferParameters | undefined,
  key: string,
  location: Location,
): number | undefined {
  const value = parameters?.[key];
  if (value === undefined) return undefined;
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw invalid(
    [...location, key],
    `found ${JSON.stringify(String(value))}, expected a whole number`,
  );
}

function invalid(location: Location, message: string): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type: "parameter" }],
  });
}
