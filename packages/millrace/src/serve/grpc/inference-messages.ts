import {
  choice,
  many,
  map,
  message,
  one,
  type EnumType,
  type MessageType,
} from "../../core/protobuf/message-type.ts";

/**
 * Messages of `inference.GRPCInferenceService` as tables of name, number and type. Only `ModelInferRequest` and
 * `ModelInferResponse` are read and written another way, by hand; they stand here for reflection and as what
 * the hand-written code is tested against.
 */

export const ServerLiveRequest = message("ServerLiveRequest", {});
export const ServerLiveResponse = message("ServerLiveResponse", { live: one(1, "bool") });
export const ServerReadyRequest = message("ServerReadyRequest", {});
export const ServerReadyResponse = message("ServerReadyResponse", { ready: one(1, "bool") });
export const ServerMetadataRequest = message("ServerMetadataRequest", {});
export const ServerMetadataResponse = message("ServerMetadataResponse", {
  name: one(1, "string"),
  version: one(2, "string"),
  extensions: many(3, "string"),
});

/** The requests that name a model and maybe a version. */
function modelRequest(name: string): MessageType {
  return message(name, { name: one(1, "string"), version: one(2, "string") });
}

export const ModelReadyRequest = modelRequest("ModelReadyRequest");
export const ModelReadyResponse = message("ModelReadyResponse", { ready: one(1, "bool") });
export const ModelMetadataRequest = modelRequest("ModelMetadataRequest");
const TensorMetadata = message("ModelMetadataResponse.TensorMetadata", {
  name: one(1, "string"),
  datatype: one(2, "string"),
  shape: many(3, "int64"),
});
export const ModelMetadataResponse = message("ModelMetadataResponse", {
  name: one(1, "string"),
  versions: many(2, "string"),
  platform: one(3, "string"),
  inputs: many(4, TensorMetadata),
  outputs: many(5, TensorMetadata),
  properties: map(6, "string"),
});

const InferParameter = message("InferParameter", {
  bool_param: choice("parameter_choice", 1, "bool"),
  int64_param: choice("parameter_choice", 2, "int64"),
  string_param: choice("parameter_choice", 3, "string"),
  double_param: choice("parameter_choice", 4, "double"),
  uint64_param: choice("parameter_choice", 5, "uint64"),
});
const InferTensorContents = message("InferTensorContents", {
  bool_contents: many(1, "bool"),
  int_contents: many(2, "int32"),
  int64_contents: many(3, "int64"),
  uint_contents: many(4, "uint32"),
  uint64_contents: many(5, "uint64"),
  fp32_contents: many(6, "float"),
  fp64_contents: many(7, "double"),
  bytes_contents: many(8, "bytes"),
});

function tensorMessage(name: string): MessageType {
  return message(name, {
    name: one(1, "string"),
    datatype: one(2, "string"),
    shape: many(3, "int64"),
    parameters: map(4, InferParameter),
    contents: one(5, InferTensorContents),
  });
}

export const ModelInferRequest = message("ModelInferRequest", {
  model_name: one(1, "string"),
  model_version: one(2, "string"),
  id: one(3, "string"),
  parameters: map(4, InferParameter),
  inputs: many(5, tensorMessage("ModelInferRequest.InferInputTensor")),
  outputs: many(
    6,
    message("ModelInferRequest.InferRequestedOutputTensor", {
      name: one(1, "string"),
      parameters: map(2, InferParameter),
    }),
  ),
  raw_input_contents: many(7, "bytes"),
});
export const ModelInferResponse = message("ModelInferResponse", {
  model_name: one(1, "string"),
  model_version: one(2, "string"),
  id: one(3, "string"),
  parameters: map(4, InferParameter),
  outputs: many(5, tensorMessage("ModelInferResponse.InferOutputTensor")),
  raw_output_contents: many(6, "bytes"),
});
export const ModelStreamInferResponse = message("ModelStreamInferResponse", {
  error_message: one(1, "string"),
  infer_response: one(2, ModelInferResponse),
});

export const ModelStatisticsRequest = modelRequest("ModelStatisticsRequest");
const StatisticDuration = message("StatisticDuration", {
  count: one(1, "uint64"),
  ns: one(2, "uint64"),
});
const InferStatistics = message("InferStatistics", {
  success: one(1, StatisticDuration),
  fail: one(2, StatisticDuration),
  queue: one(3, StatisticDuration),
  compute_input: one(4, StatisticDuration),
  compute_infer: one(5, StatisticDuration),
  compute_output: one(6, StatisticDuration),
  cache_hit: one(7, StatisticDuration),
  cache_miss: one(8, StatisticDuration),
});
const InferResponseStatistics = message("InferResponseStatistics", {
  compute_infer: one(1, StatisticDuration),
  compute_output: one(2, StatisticDuration),
  success: one(3, StatisticDuration),
  fail: one(4, StatisticDuration),
  empty_response: one(5, StatisticDuration),
  cancel: one(6, StatisticDuration),
});
const InferBatchStatistics = message("InferBatchStatistics", {
  batch_size: one(1, "uint64"),
  compute_input: one(2, StatisticDuration),
  compute_infer: one(3, StatisticDuration),
  compute_output: one(4, StatisticDuration),
});
const MemoryUsage = message("MemoryUsage", {
  type: one(1, "string"),
  id: one(2, "int64"),
  byte_size: one(3, "uint64"),
});
const ModelStatistics = message("ModelStatistics", {
  name: one(1, "string"),
  version: one(2, "string"),
  last_inference: one(3, "uint64"),
  inference_count: one(4, "uint64"),
  execution_count: one(5, "uint64"),
  inference_stats: one(6, InferStatistics),
  batch_stats: many(7, InferBatchStatistics),
  memory_usage: many(8, MemoryUsage),
  response_stats: map(9, InferResponseStatistics),
});
export const ModelStatisticsResponse = message("ModelStatisticsResponse", {
  model_stats: many(1, ModelStatistics),
});

export const RepositoryIndexRequest = message("RepositoryIndexRequest", {
  repository_name: one(1, "string"),
  ready: one(2, "bool"),
});
export const RepositoryIndexResponse = message("RepositoryIndexResponse", {
  models: many(
    1,
    message("RepositoryIndexResponse.ModelIndex", {
      name: one(1, "string"),
      version: one(2, "string"),
      state: one(3, "string"),
      reason: one(4, "string"),
    }),
  ),
});
const ModelRepositoryParameter = message("ModelRepositoryParameter", {
  bool_param: choice("parameter_choice", 1, "bool"),
  int64_param: choice("parameter_choice", 2, "int64"),
  string_param: choice("parameter_choice", 3, "string"),
  bytes_param: choice("parameter_choice", 4, "bytes"),
});

function repositoryRequest(name: string): MessageType {
  return message(name, {
    repository_name: one(1, "string"),
    model_name: one(2, "string"),
    parameters: map(3, ModelRepositoryParameter),
  });
}

export const RepositoryModelLoadRequest = repositoryRequest("RepositoryModelLoadRequest");
export const RepositoryModelUnloadRequest = repositoryRequest("RepositoryModelUnloadRequest");
/** Triton's have no fields; KServe's clients read these two. */
export const RepositoryModelLoadResponse = message("RepositoryModelLoadResponse", {
  model_name: one(1, "string"),
  isLoaded: one(2, "bool"),
});
export const RepositoryModelUnloadResponse = message("RepositoryModelUnloadResponse", {
  model_name: one(1, "string"),
  isUnloaded: one(2, "bool"),
});

const DataType: EnumType = {
  kind: "enum",
  name: "DataType",
  values: {
    TYPE_INVALID: 0,
    TYPE_BOOL: 1,
    TYPE_UINT8: 2,
    TYPE_UINT16: 3,
    TYPE_UINT32: 4,
    TYPE_UINT64: 5,
    TYPE_INT8: 6,
    TYPE_INT16: 7,
    TYPE_INT32: 8,
    TYPE_INT64: 9,
    TYPE_FP16: 10,
    TYPE_FP32: 11,
    TYPE_FP64: 12,
    TYPE_STRING: 13,
    TYPE_BF16: 14,
  },
};
const VersionPolicy = message("ModelVersionPolicy", {
  latest: choice(
    "policy_choice",
    1,
    message("ModelVersionPolicy.Latest", { num_versions: one(1, "uint32") }),
  ),
  all: choice("policy_choice", 2, message("ModelVersionPolicy.All", {})),
  specific: choice(
    "policy_choice",
    3,
    message("ModelVersionPolicy.Specific", { versions: many(1, "int64") }),
  ),
});
const QueuePolicy = message("ModelQueuePolicy", {
  timeout_action: one(1, {
    kind: "enum",
    name: "ModelQueuePolicy.TimeoutAction",
    values: { REJECT: 0, DELAY: 1 },
  }),
  default_timeout_microseconds: one(2, "uint64"),
  allow_timeout_override: one(3, "bool"),
  max_queue_size: one(4, "uint32"),
});
const ModelConfig = message("ModelConfig", {
  name: one(1, "string"),
  platform: one(2, "string"),
  version_policy: one(3, VersionPolicy),
  max_batch_size: one(4, "int32"),
  input: many(
    5,
    message("ModelInput", {
      name: one(1, "string"),
      data_type: one(2, DataType),
      dims: many(4, "int64"),
    }),
  ),
  output: many(
    6,
    message("ModelOutput", {
      name: one(1, "string"),
      data_type: one(2, DataType),
      dims: many(3, "int64"),
    }),
  ),
  instance_group: many(
    7,
    message("ModelInstanceGroup", {
      name: one(1, "string"),
      count: one(2, "int32"),
      kind: one(4, {
        kind: "enum",
        name: "ModelInstanceGroup.Kind",
        values: { KIND_AUTO: 0, KIND_GPU: 1, KIND_CPU: 2, KIND_MODEL: 3 },
      }),
    }),
  ),
  dynamic_batching: one(
    11,
    message("ModelDynamicBatching", {
      preferred_batch_size: many(1, "int32"),
      max_queue_delay_microseconds: one(2, "uint64"),
      preserve_ordering: one(3, "bool"),
      priority_levels: one(4, "uint64"),
      default_priority_level: one(5, "uint64"),
      default_queue_policy: one(6, QueuePolicy),
    }),
  ),
  parameters: map(14, message("ModelParameter", { string_value: one(1, "string") })),
  backend: one(17, "string"),
});
export const ModelConfigRequest = modelRequest("ModelConfigRequest");
export const ModelConfigResponse = message("ModelConfigResponse", { config: one(1, ModelConfig) });
