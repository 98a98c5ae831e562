import type { Config } from "../config/config.ts";
import type { ModelStatus } from "../models/served-model.ts";
import { MILLRACE_VERSION } from "../version.ts";
import type { CommandIo } from "./command.ts";

export interface StartFacts {
  readonly config: Config;
  readonly httpPort: number;
  readonly metricsPort: number | undefined;
  readonly models: readonly ModelStatus[];
  readonly processes: number;
  readonly tookMs: number;
}

/** Tells the person at the terminal what runs where. */
export function printStart(facts: StartFacts, isJson: boolean, io: CommandIo): void {
  const { config, httpPort, metricsPort, models } = facts;
  const scheme = config.server.tls === undefined ? "http" : "https";
  const http = `${scheme}://${hostInUrl(config.server.host)}:${httpPort}`;
  const metrics =
    metricsPort === undefined
      ? undefined
      : `http://${hostInUrl(config.server.host)}:${metricsPort}/metrics`;
  if (isJson) {
    const { processes, tookMs } = facts;
    io.stdout.write(
      `${JSON.stringify({ name: config.name, http, metrics, processes, tookMs, models })}\n`,
    );
    return;
  }
  const processes = facts.processes === 1 ? "1 process" : `${facts.processes} processes`;
  const lines = [
    `millrace ${MILLRACE_VERSION}  ${config.name}  ${processes}  started in ${facts.tookMs} ms`,
    `  http     ${http}`,
    `  docs     ${http}/docs`,
    ...(metrics === undefined ? [] : [`  metrics  ${metrics}`]),
    ...models.map((model) => `  model    ${describeModel(model)}`),
    ...Object.values(config.services).map(
      (service) =>
        `  service  ${service.name} → ${service.model}  POST ${service.isDefault ? "/predict" : `/services/${service.name}/predict`}`,
    ),
    "Ctrl-C stops it when the requests in flight are answered",
  ];
  io.stdout.write(`${lines.join("\n")}\n`);
}

function describeModel({ name, versions, isReady, problem, fallbackReason }: ModelStatus): string {
  const id = versions.map((version) => `${name}@${version}`).join(", ") || name;
  if (fallbackReason !== undefined) return `${id}  ready with its FALLBACK: ${fallbackReason}`;
  if (!isReady) return `${id}  NOT READY: ${problem ?? "loading"}`;
  return problem === undefined ? `${id}  ready` : `${id}  ready, but: ${problem}`;
}

/** `0.0.0.0` is an address to listen on, not one to call. */
function hostInUrl(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
