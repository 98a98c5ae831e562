import { MillraceError } from "../../core/errors.ts";
import {
  refuseSharedMemory,
  wholeParameter,
  type InferParameters,
} from "../../core/tensor/infer-parameters.ts";
import type { OutputRequest } from "../../core/tensor/read-infer-request.ts";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import type { Predictor } from "../../models/predictor.ts";

/** One output as the client wants it. */
export interface RequestedOutput {
  /** As the client wrote it: a name from before a rewrite is answered under that name. */
  readonly name: string;
  readonly spec: TensorSpec;
  /** As binary data? undefined leaves it to the request. Only HTTP asks. */
  readonly isBinary: boolean | undefined;
  /** Classes per row to name instead of the numbers; 0 asks for the numbers. */
  readonly classCount: number;
}

/**
 * The outputs of the version that a request asks for; all when it names none.
 * @throws INVALID_BODY for an unknown output, one that stands twice and a wrong parameter; NOT_IMPLEMENTED for
 * shared memory.
 */
export function requestedOutputs(
  predictor: Predictor,
  requests: readonly OutputRequest[] | undefined,
): RequestedOutput[] {
  if (requests === undefined || requests.length === 0) {
    return predictor.outputs.map((spec) => ({
      name: spec.name,
      spec,
      isBinary: undefined,
      classCount: 0,
    }));
  }
  return requests.map(({ name, parameters }, i) => {
    const location = ["body", "outputs", i];
    const spec = predictor.findOutput(name);
    if (spec === undefined) {
      const known = predictor.outputs.map((output) => `"${output.name}"`).join(", ");
      const message = `unknown output ${JSON.stringify(name)}, expected ${known}`;
      throw invalid([...location, "name"], message, "unknown");
    }
    if (requests.findIndex((other) => other.name === name) !== i) {
      throw invalid([...location, "name"], `the output "${name}" stands twice`, "duplicate");
    }
    return { name, spec, ...readParameters(parameters, [...location, "parameters"]) };
  });
}

function readParameters(
  parameters: InferParameters | undefined,
  location: readonly (string | number)[],
): Pick<RequestedOutput, "isBinary" | "classCount"> {
  if (parameters === undefined) return { isBinary: undefined, classCount: 0 };
  refuseSharedMemory(parameters, location);
  const isBinary = parameters["binary_data"];
  if (isBinary !== undefined && typeof isBinary !== "boolean") {
    throw invalid([...location, "binary_data"], "expected true or false", "parameter");
  }
  return { isBinary, classCount: wholeParameter(parameters, "classification", location) ?? 0 };
}

function invalid(
  location: readonly (string | number)[],
  message: string,
  type: string,
): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type }],
  });
}
