import { MillraceError } from "../../core/errors.ts";
import { decodeMessage, encodeMessage, type Message } from "../../core/protobuf/message-type.ts";
import type { Logger } from "../../ports/logger.ts";
import type { RouteScope } from "../auth.ts";
import type { DataPlane } from "../data-plane.ts";
import type { ModelRepository } from "../model-repository.ts";
import { modelConfig } from "../oip/model-config.ts";
import { modelMetadata } from "../oip/model-metadata.ts";
import { modelStatistics } from "../oip/model-statistics.ts";
import { loadModel, unloadModel } from "../oip/repository.ts";
import { repositoryIndex } from "../oip/repository-index.ts";
import { serverMetadata } from "../oip/server-metadata.ts";
import { isModelReady, targetOf } from "../oip/target-of.ts";
import { modelInfer, modelStreamInfer } from "./infer-rpcs.ts";
import { INFERENCE_SERVICE, type InferenceMethod } from "./inference-service.ts";
import { frameOf } from "./message-frames.ts";
import type { Rpc, UnaryRpc } from "./rpc.ts";

export interface InferenceRpcsOptions {
  readonly plane: DataPlane;
  readonly isReady: () => boolean;
  readonly repository: ModelRepository;
  readonly log: Logger;
}

/** Every method of `inference.GRPCInferenceService`. What each one says is what REST says, from the same code. */
export function inferenceRpcs(options: InferenceRpcsOptions): Record<InferenceMethod, Rpc> {
  const { plane, isReady, repository, log } = options;
  return {
    ServerLive: rare("ServerLive", "none", () => ({ live: true })),
    ServerReady: rare("ServerReady", "none", () => ({ ready: isReady() })),
    ModelReady: rare("ModelReady", "none", ({ name, version }) => ({
      ready: isModelReady(plane, name, version),
    })),
    ServerMetadata: rare("ServerMetadata", "read", serverMetadata),
    ModelMetadata: rare("ModelMetadata", "read", ({ name, version }) =>
      modelMetadata(plane, targetOf(plane, name, version)),
    ),
    ModelInfer: modelInfer(plane),
    ModelStreamInfer: modelStreamInfer(plane, log),
    ModelConfig: rare("ModelConfig", "read", ({ name, version }) => ({
      config: modelConfig(plane, targetOf(plane, name, version)),
    })),
    ModelStatistics: rare("ModelStatistics", "read", ({ name, version }) => ({
      model_stats: modelStatistics(plane, name === "" ? undefined : name, version),
    })),
    RepositoryIndex: rare("RepositoryIndex", "read", ({ repository_name, ready }) => {
      refuseRepositoryName(repository_name);
      return { models: repositoryIndex(plane, ready) };
    }),
    RepositoryModelLoad: rare("RepositoryModelLoad", "admin", async (request) => {
      const name = modelNamedBy(request);
      await loadModel(plane, repository, name, plainParameters(request));
      return { model_name: name, isLoaded: true };
    }),
    RepositoryModelUnload: rare("RepositoryModelUnload", "admin", async (request) => {
      const name = modelNamedBy(request);
      await unloadModel(plane, repository, name, plainParameters(request));
      return { model_name: name, isUnloaded: true };
    }),
  };
}

/** The members that requests of rare methods have, each of them some. */
interface RareRequest {
  readonly name: string;
  readonly version: string;
  readonly repository_name: string;
  readonly model_name: string;
  readonly ready: boolean;
  readonly parameters: ReadonlyMap<string, Message>;
}

/** A method that is called now and then: its messages are read and written by their tables. */
function rare(
  method: InferenceMethod,
  scope: RouteScope,
  answer: (request: RareRequest) => object | Promise<object>,
): UnaryRpc {
  const { request, response } = INFERENCE_SERVICE.methods[method];
  return {
    kind: "unary",
    scope,
    async run(message) {
      const decoded = decodeMessage(request, message) as unknown as RareRequest;
      return frameOf(encodeMessage(response, (await answer(decoded)) as Message));
    },
  };
}

/** KServe's clients put the model's name where others put the repository's. */
function modelNamedBy({ model_name, repository_name }: RareRequest): string {
  if (model_name === "") return repository_name;
  refuseRepositoryName(repository_name);
  return model_name;
}

/** The value of each, whichever of its types it has. */
function plainParameters({ parameters }: RareRequest): Message {
  const values = [...parameters].map(([key, choices]) => {
    return [key, Object.values(choices).find((value) => value !== undefined)] as const;
  });
  return Object.fromEntries(values);
}

function refuseRepositoryName(name: string): void {
  if (name === "") return;
  throw new MillraceError(
    "NOT_IMPLEMENTED",
    `Cannot look into repository ${JSON.stringify(name)}: there is one, and it has no name`,
  );
}
