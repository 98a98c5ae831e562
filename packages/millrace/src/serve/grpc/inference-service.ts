import * as messages from "./inference-messages.ts";
import type { ServiceDescription } from "./service-description.ts";

/** The Open Inference Protocol's service with the extensions that are served. */
export const INFERENCE_SERVICE = {
  name: "inference.GRPCInferenceService",
  file: "inference.proto",
  methods: {
    ServerLive: { request: messages.ServerLiveRequest, response: messages.ServerLiveResponse },
    ServerReady: { request: messages.ServerReadyRequest, response: messages.ServerReadyResponse },
    ModelReady: { request: messages.ModelReadyRequest, response: messages.ModelReadyResponse },
    ServerMetadata: {
      request: messages.ServerMetadataRequest,
      response: messages.ServerMetadataResponse,
    },
    ModelMetadata: {
      request: messages.ModelMetadataRequest,
      response: messages.ModelMetadataResponse,
    },
    ModelInfer: { request: messages.ModelInferRequest, response: messages.ModelInferResponse },
    ModelStreamInfer: {
      request: messages.ModelInferRequest,
      response: messages.ModelStreamInferResponse,
      takesStream: true,
      repliesStream: true,
    },
    ModelConfig: { request: messages.ModelConfigRequest, response: messages.ModelConfigResponse },
    ModelStatistics: {
      request: messages.ModelStatisticsRequest,
      response: messages.ModelStatisticsResponse,
    },
    RepositoryIndex: {
      request: messages.RepositoryIndexRequest,
      response: messages.RepositoryIndexResponse,
    },
    RepositoryModelLoad: {
      request: messages.RepositoryModelLoadRequest,
      response: messages.RepositoryModelLoadResponse,
    },
    RepositoryModelUnload: {
      request: messages.RepositoryModelUnloadRequest,
      response: messages.RepositoryModelUnloadResponse,
    },
  },
} as const satisfies ServiceDescription;

export type InferenceMethod = keyof (typeof INFERENCE_SERVICE)["methods"];
