import type { Config, ModelConfig, ServiceConfig } from "../config/config.ts";
import { modelsIn } from "../graphs/graph-steps.ts";
import { plainModelOf } from "../graphs/plain-service.ts";

/** What logged requests are to be sent to. */
export type CandidateName =
  /** A model or service of the file; `version` of a model. */
  | { readonly kind: "name"; readonly name: string; readonly version: number | undefined }
  | {
      readonly kind: "file";
      /** Absolute. */
      readonly path: string;
      /** What it is called in reports. */
      readonly name: string;
    };

export interface Candidate {
  /** The file with nothing but what the candidate needs, and nothing that would answer in its place. */
  readonly config: Config;
  readonly service: string;
  readonly version: number | undefined;
}

/** Sends nothing on, refuses nothing, remembers nothing: what is measured is the candidate. */
const BARE = {
  limits: { concurrency: "off", queue: 0, ratePerSecond: undefined },
  overload: { kind: "reject" },
  rules: [],
  experiment: undefined,
  shadows: [],
} as const satisfies Partial<ServiceConfig>;

/**
 * @param service whose requests are replayed: the candidate has its timeout.
 * @returns undefined when the file has nothing of the candidate's name.
 */
export function createCandidate(
  config: Config,
  service: ServiceConfig,
  candidate: CandidateName,
): Candidate | undefined {
  const found =
    candidate.kind === "file"
      ? ofFile(config, service, candidate)
      : ofName(config, candidate.name, candidate.version);
  if (found === undefined) return undefined;
  const { parameters, cache } = found.service;
  const only: ServiceConfig = {
    ...found.service,
    ...BARE,
    isDefault: true,
    timeoutMs: service.timeoutMs,
    cache: { ...cache, prediction: undefined },
    parameters: { ...parameters, isActive: true },
  };
  return {
    config: {
      ...config,
      stateDir: undefined,
      log: { ...config.log, sink: "off", text: undefined },
      traces: undefined,
      cacheStore: { kind: "memory" },
      models: Object.fromEntries(found.models.map((model) => [model.name, model])),
      services: { [only.name]: only },
    },
    service: only.name,
    version: candidate.kind === "name" ? candidate.version : undefined,
  };
}

interface Found {
  readonly service: ServiceConfig;
  readonly models: readonly ModelConfig[];
}

function ofName(config: Config, name: string, version: number | undefined): Found | undefined {
  const service = config.services[name];
  if (service === undefined) return undefined;
  const models = [...modelsIn(service.graph)].flatMap((model) => config.models[model] ?? []);
  const serve =
    version === undefined ? undefined : ({ kind: "list", versions: [version] } as const);
  return {
    service,
    models: models.map((model) => ({
      ...model,
      reload: { kind: "off" },
      ...(serve === undefined ? {} : { serve }),
    })),
  };
}

/**
 * A model file takes the place of the service's own model, with what the file says of that: its names, its labels, its
 * threads.
 */
function ofFile(
  config: Config,
  service: ServiceConfig,
  { path, name }: { readonly path: string; readonly name: string },
): Found | undefined {
  const replaced = config.models[plainModelOf(service) ?? ""];
  if (replaced === undefined) return undefined;
  const model: ModelConfig = {
    ...replaced,
    name,
    source: { kind: "path", path },
    sha256: undefined,
    fallback: undefined,
    runtime: "onnx",
    program: undefined,
    serve: { kind: "latest" },
    reload: { kind: "off" },
  };
  const graph = { kind: "model", name, model: name, at: [] } as const;
  return { service: { ...service, name, graph }, models: [model] };
}
