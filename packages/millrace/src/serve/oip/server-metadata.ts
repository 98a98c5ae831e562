import { MILLRACE_VERSION } from "../../version.ts";

/** What the server says of itself in the Open Inference Protocol, field by field. */
export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

/** Extensions that are really served. */
const EXTENSIONS = [
  "classification",
  "model_repository",
  "model_repository(unload_dependents)",
  "schedule_policy",
  "model_configuration",
  "binary_tensor_data",
  "parameters",
  "statistics",
];

export function serverMetadata(): ServerMetadata {
  return { name: "millrace", version: MILLRACE_VERSION, extensions: EXTENSIONS };
}
