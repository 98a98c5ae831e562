import type { Config, ModelConfig, ServiceConfig } from "../config/config.ts";
import { describeGraph } from "../graphs/describe-graph.ts";
import type { GraphStatus } from "../graphs/service-graphs.ts";
import type { ModelStatus } from "../models/served-model.ts";
import type { Placement } from "../ports/runtime.ts";
import { MILLRACE_VERSION } from "../version.ts";
import type { CommandIo } from "./command.ts";
import { describeLimits } from "../config/describe-limits.ts";
import { hostInUrl } from "./host-in-url.ts";

/** A model with how it runs, as far as it says so. */
type StartedModel = ModelStatus & {
  readonly placement?: Placement | undefined;
  /** Copies that run side by side. */
  readonly instances?: number | undefined;
  /** How requests share runs, a sentence. */
  readonly batch?: string | undefined;
};

export interface StartFacts {
  readonly config: Config;
  readonly httpPort: number;
  readonly grpcPort: number | undefined;
  readonly metricsPort: number | undefined;
  readonly controlPort: number | undefined;
  readonly models: readonly StartedModel[];
  readonly graphs: readonly GraphStatus[];
  readonly processes: number;
  readonly tookMs: number;
}

/** Tells the person at the terminal what runs where. */
export function printStart(facts: StartFacts, isJson: boolean, io: CommandIo): void {
  io.stdout.write(isJson ? `${JSON.stringify(factsJson(facts))}\n` : factsText(facts));
}

function factsJson(facts: StartFacts): object {
  const { config, processes, tookMs, models } = facts;
  const services = Object.values(config.services).map((service) => ({
    name: service.name,
    runs: describeGraph(service),
    limits: service.limits,
    problem: problemOf(service, facts),
  }));
  return { name: config.name, ...addresses(facts), processes, tookMs, models, services };
}

function factsText(facts: StartFacts): string {
  const { config, models } = facts;
  const { http, grpc, metrics, control } = addresses(facts);
  const processes = facts.processes === 1 ? "1 process" : `${facts.processes} processes`;
  const lines = [
    `millrace ${MILLRACE_VERSION}  ${config.name}  ${processes}  started in ${facts.tookMs} ms`,
    `  http     ${http}`,
    `  docs     ${http}/docs`,
    ...(grpc === undefined ? [] : [`  grpc     ${grpc}`]),
    ...(metrics === undefined ? [] : [`  metrics  ${metrics}`]),
    ...(control === undefined ? [] : [`  control  ${control}`]),
    ...models.flatMap((model) => modelLines(model, config.models[model.name])),
    ...Object.values(config.services).flatMap((service) => serviceLines(service, facts)),
    "Ctrl-C stops it when the requests in flight are answered",
  ];
  return `${lines.join("\n")}\n`;
}

/** Where to call, as a person copies it; undefined for what does not listen. */
function addresses({ config, httpPort, grpcPort, metricsPort, controlPort }: StartFacts) {
  const { server } = config;
  const host = hostInUrl(server.host);
  const scheme = server.tls === undefined ? "http" : "https";
  return {
    http: `${scheme}://${host}:${httpPort}`,
    grpc: grpcPort === undefined ? undefined : `${host}:${grpcPort}`,
    metrics: metricsPort === undefined ? undefined : `http://${host}:${metricsPort}/metrics`,
    control: controlPort === undefined ? undefined : `${scheme}://${host}:${controlPort}`,
  };
}

function modelLines(model: StartedModel, config: ModelConfig | undefined): readonly string[] {
  const threads = config?.threads ?? 1;
  const { placement, instances, batch } = model;
  const facts = [
    placement,
    instances === undefined
      ? undefined
      : `${countOf(instances, "instance")} × ${countOf(threads, "thread")}`,
    batch,
  ].filter((fact) => fact !== undefined);
  const line = `  model    ${describeModel(model)}`;
  return facts.length === 0 ? [line] : [line, `           ${facts.join(", ")}`];
}

function problemOf({ name }: ServiceConfig, { graphs }: StartFacts): string | undefined {
  return graphs.find(({ service }) => service === name)?.problem;
}

function serviceLines(service: ServiceConfig, facts: StartFacts): readonly string[] {
  const { name, isDefault, limits } = service;
  const problem = problemOf(service, facts);
  const route = isDefault ? "/predict" : `/services/${name}/predict`;
  return [
    `  service  ${name} → ${describeGraph(service)}  POST ${route}`,
    ...(problem === undefined ? [] : [`           NOT READY: ${problem}`]),
    `           ${describeLimits(limits, facts.processes)}`,
  ];
}

function describeModel({ name, versions, isReady, problem, fallbackReason }: ModelStatus): string {
  const id = versions.map((version) => `${name}@${version}`).join(", ") || name;
  if (fallbackReason !== undefined) return `${id}  ready with its FALLBACK: ${fallbackReason}`;
  if (!isReady) return `${id}  NOT READY: ${problem ?? "loading"}`;
  return problem === undefined ? `${id}  ready` : `${id}  ready, but: ${problem}`;
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
