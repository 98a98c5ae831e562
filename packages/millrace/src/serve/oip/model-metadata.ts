import type { TensorSpec } from "../../core/tensor/tensor.ts";
import { ModelVersion } from "../../models/model-version.ts";
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

export function modelMetadata(plane: DataPlane, { service, predictor }: Target): ModelMetadata {
  const { fallbackReason } = predictor;
  const batching = predictor instanceof ModelVersion ? predictor.batching : undefined;
  return {
    name: service.name,
    versions: versionsBeside(plane, predictor).map((version) => String(version)),
    platform: predictor.platform,
    inputs: predictor.inputs,
    outputs: predictor.outputs,
    properties: {
      ...(batching !== undefined && { batched: String(batching.isBatched) }),
      ...(batching?.reason !== undefined && { not_batched_because: batching.reason }),
      ...(batching === undefined && { models: predictor.id }),
      ...(fallbackReason === undefined ? {} : { fallback: fallbackReason }),
    },
  };
}

/** Of the same model, itself included. */
function versionsBeside(plane: DataPlane, predictor: Target["predictor"]): readonly number[] {
  const model =
    predictor instanceof ModelVersion ? plane.models.find(predictor.modelName) : undefined;
  return model === undefined ? [predictor.version] : model.versions.map(({ version }) => version);
}
