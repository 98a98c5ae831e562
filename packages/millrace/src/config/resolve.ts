import { access, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Config, LogConfig, ModelConfig, ServerConfig } from "./config.ts";
import type { ConfigTree } from "./config-tree.ts";
import type { ProblemLog } from "./problem-log.ts";
import { nameFromPath } from "./read-config.ts";
import type { ConfigSource } from "./read-config.ts";
import { resolvePredictionLog } from "./resolve-log.ts";
import { resolveModel } from "./resolve-model.ts";
import { resolveServices } from "./resolve-services.ts";
import type { ConfigOutput } from "./schema.ts";

/** What the configuration is made from. */
export interface ResolveOptions {
  readonly output: ConfigOutput;
  readonly tree: ConfigTree;
  readonly source: ConfigSource;
  /** May the state folder be left out, so that everything stays in memory? */
  readonly isStateOptional: boolean;
  readonly log: ProblemLog;
}

/** Makes paths absolute, reads label and sample files, follows references; reports what does not fit. */
export async function resolveConfig(options: ResolveOptions): Promise<Config> {
  const { output, tree, source, log } = options;
  const { folder } = source;
  // A service can do without: its steps may be functions and other servers.
  if (tree.namesAt(["models"]).length === 0 && tree.namesAt(["services"]).length === 0) {
    log.add(["models"], "missing, expected at least one model, such as iris: ./iris.onnx");
  }
  const server = await resolveServer(output.server, folder, log);
  const models: [string, ModelConfig][] = [];
  for (const [name, model] of Object.entries(output.models)) {
    const resolved = await resolveModel({ name, model, folder, log });
    if (resolved !== undefined) models.push([name, resolved]);
  }
  const keepsState = !options.isStateOptional || tree.get(["state", "dir"]) !== undefined;
  return {
    name: output.name ?? nameFromPath(folder, "millrace"),
    owner: output.owner,
    runbook: output.runbook,
    file: source.path,
    server,
    cacheStore: resolveCacheStore(output.state.cache, log),
    log: resolvePredictionLog(output.log, folder),
    traces: output.traces && { ...output.traces, headers: output.traces.headers ?? {} },
    stateDir: keepsState ? resolve(folder, output.state.dir) : undefined,
    models: Object.fromEntries(models),
    services: await resolveServices({ services: output.services, folder, tree, log }),
  };
}

async function resolveServer(
  server: ConfigOutput["server"],
  folder: string,
  log: ProblemLog,
): Promise<ServerConfig> {
  checkKeys(server.auth.keys, log);
  return {
    host: server.host,
    httpPort: server.httpPort,
    grpcPort: server.grpcPort,
    metricsPort: server.metricsPort,
    controlPort: server.controlPort,
    processes: server.processes,
    bodyBytesMax: server.bodyMax,
    drainMs: server.drain,
    keys: server.auth.keys,
    tls: await resolveTls(server.tls, folder, log),
    corsOrigins: server.cors.origins,
    log: resolveLog(server.log, folder),
  };
}

function resolveCacheStore(address: string, log: ProblemLog): Config["cacheStore"] {
  if (address === "memory") return { kind: "memory" };
  const url = URL.parse(address);
  if (url === null || url.hostname === "" || !/^\/?\d*$/.test(url.pathname)) {
    const path = ["state", "cache"];
    const expected = "redis:// or rediss:// with a host, and maybe /<number of the database>";
    log.add(path, `found ${log.show(path)}, expected ${expected}`);
  }
  return { kind: "redis", url: address };
}

async function resolveTls(
  tls: ConfigOutput["server"]["tls"],
  folder: string,
  log: ProblemLog,
): Promise<ServerConfig["tls"]> {
  if (tls === undefined) return undefined;
  const certPath = await checkFile(tls.cert, "cert");
  const keyPath = await checkFile(tls.key, "key");
  return { certPath, keyPath };

  async function checkFile(text: string, key: "cert" | "key"): Promise<string> {
    const absolute = resolve(folder, text);
    const path = ["server", "tls", key];
    const facts = await stat(absolute).catch(() => undefined);
    const isReadable = await access(absolute).then(
      () => true,
      () => false,
    );
    if (facts === undefined) log.add(path, `file ${log.show(path)} does not exist`);
    else if (!facts.isFile()) log.add(path, `${log.show(path)} is not a file`);
    else if (!isReadable) log.add(path, `file ${log.show(path)} cannot be read`);
    return absolute;
  }
}

function resolveLog(log: ConfigOutput["server"]["log"], folder: string): LogConfig {
  const levels = typeof log.level === "string" ? { default: log.level } : log.level;
  const { file } = log;
  return {
    levels: { default: "info", ...levels },
    format: log.format,
    access: log.access,
    file:
      file === undefined
        ? undefined
        : { path: resolve(folder, file.path), sizeBytesMax: file.sizeMax, keep: file.keep },
  };
}

/** Names tell keys apart in the log, and a secret tells who calls: neither may stand twice. */
function checkKeys(keys: ServerConfig["keys"], log: ProblemLog): void {
  for (const [index, key] of keys.entries()) {
    for (const field of ["name", "secret"] as const) {
      const first = keys.findIndex((other) => other[field] === key[field]);
      if (first === index) continue;
      const path = ["server", "auth", "keys", index, field];
      log.add(path, `the same ${field} as server.auth.keys[${first}], expected another one`);
    }
  }
}
