import type { ModelConfig as ConfiguredModel, ServePolicy } from "../../config/config.ts";
import type { Datatype } from "../../core/tensor/datatype.ts";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import { ModelVersion } from "../../models/model-version.ts";
import type { DataPlane, Target } from "../data-plane.ts";
import { PRIORITY_DEFAULT } from "../prediction.ts";
import { PRIORITY_LAST } from "./infer-parameters.ts";

/**
 * ModelConfig of the model configuration extension, field by field: what a model does, in the words of the
 * protocol. Every number is whole.
 */
export interface ModelConfig {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  readonly version_policy: VersionPolicy;
  /** Most rows of one run; 0 when requests do not share runs, and then `dims` are whole shapes. */
  readonly max_batch_size: number;
  readonly input: readonly ModelTensor[];
  readonly output: readonly ModelTensor[];
  readonly instance_group: readonly InstanceGroup[];
  /** Absent when requests do not share runs. */
  readonly dynamic_batching?: DynamicBatching;
  readonly parameters: Readonly<Record<string, { readonly string_value: string }>>;
}

export type VersionPolicy =
  | { readonly latest: { readonly num_versions: number } }
  | { readonly all: Readonly<Record<string, never>> }
  | { readonly specific: { readonly versions: readonly number[] } };

export interface ModelTensor {
  readonly name: string;
  readonly data_type: `TYPE_${string}`;
  /** Without the batch; −1 for an extent that may vary. */
  readonly dims: readonly number[];
}

export interface InstanceGroup {
  readonly name: string;
  readonly kind: "KIND_CPU";
  readonly count: number;
}

export interface DynamicBatching {
  readonly preferred_batch_size: readonly number[];
  readonly max_queue_delay_microseconds: number;
  readonly preserve_ordering: boolean;
  readonly priority_levels: number;
  readonly default_priority_level: number;
  readonly default_queue_policy: {
    readonly timeout_action: "REJECT" | "DELAY";
    readonly default_timeout_microseconds: number;
    readonly allow_timeout_override: boolean;
    readonly max_queue_size: number;
  };
}

/** The effective configuration of a model. */
export function modelConfig(plane: DataPlane, target: Target): ModelConfig {
  const { service, predictor: version } = target;
  if (!(version instanceof ModelVersion)) return graphConfig(target);
  const { config } = plane.models.model(version.modelName);
  const { isBatched } = version.batching;
  const tensor = ({ name, datatype, shape }: TensorSpec): ModelTensor => ({
    name,
    data_type: protoTypeOf(datatype),
    dims: isBatched ? shape.slice(1) : shape,
  });
  return {
    name: service.name,
    platform: version.platform,
    backend: config.runtime,
    version_policy: versionPolicy(config.serve),
    max_batch_size: isBatched ? config.batch.rowsMax : 0,
    input: version.inputs.map(tensor),
    output: version.outputs.map(tensor),
    instance_group: [
      { name: `${version.modelName}_0`, kind: "KIND_CPU", count: version.scheduled.executorCount },
    ],
    ...(isBatched ? { dynamic_batching: dynamicBatching(target, config) } : {}),
    parameters: { sha256: { string_value: version.description.sha256 } },
  };
}

/** Requests do not share runs of a graph: they share those of its models. */
function graphConfig({ service, predictor }: Target): ModelConfig {
  const tensor = ({ name, datatype, shape }: TensorSpec): ModelTensor => ({
    name,
    data_type: protoTypeOf(datatype),
    dims: shape,
  });
  return {
    name: service.name,
    platform: predictor.platform,
    backend: "",
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: 0,
    input: predictor.inputs.map(tensor),
    output: predictor.outputs.map(tensor),
    instance_group: [],
    parameters: {
      sha256: { string_value: predictor.digest },
      models: { string_value: predictor.id },
    },
  };
}

function protoTypeOf(datatype: Datatype): `TYPE_${string}` {
  return datatype === "BYTES" ? "TYPE_STRING" : `TYPE_${datatype}`;
}

function versionPolicy(policy: ServePolicy): VersionPolicy {
  switch (policy.kind) {
    case "latest":
      return { latest: { num_versions: 1 } };
    case "all":
      return { all: {} };
    case "list":
      return { specific: { versions: policy.versions } };
  }
}

function dynamicBatching({ service }: Target, { batch }: ConfiguredModel): DynamicBatching {
  return {
    preferred_batch_size: [],
    max_queue_delay_microseconds: microseconds(batch.delayMs),
    preserve_ordering: false,
    priority_levels: PRIORITY_LAST,
    default_priority_level: PRIORITY_DEFAULT,
    default_queue_policy: {
      timeout_action: "REJECT",
      default_timeout_microseconds: microseconds(service.timeoutMs),
      allow_timeout_override: true,
      max_queue_size: service.limits.queue,
    },
  };
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000);
}
