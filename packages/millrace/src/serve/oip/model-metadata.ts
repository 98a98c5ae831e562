import type { TensorSpec } from "../../core/tensor/tensor.ts";
import type { DataPlane, Target } from "../data-plane.ts";

/** A model's metadata in the Open Inference Protocol, field by field. */
export interface ModelMetadata {
  /** The service: to the protocol it is a model. */
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  /** −1 for an extent that may vary; the first one is the batch. */
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Facts the protocol has no field for. */
  readonly properties: Readonly<Record<string, string>>;
}

export function modelMetadata(plane: DataPlane, { service, version }: Target): ModelMetadata {
  const { fallbackReason, batching } = version;
  return {
    name: service.name,
    versions: plane.models.model(version.modelName).versions.map((known) => String(known.version)),
    platform: version.platform,
    inputs: version.inputs,
    outputs: version.outputs,
    properties: {
      batched: String(batching.isBatched),
      ...(batching.reason === undefined ? {} : { not_batched_because: batching.reason }),
      ...(fallbackReason === undefined ? {} : { fallback: fallbackReason }),
    },
  };
}
