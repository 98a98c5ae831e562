import type { Config } from "../config/config.ts";
import { renderProblem } from "../config/problem.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import { createLogging, type Logging } from "../main.ts";
import type { ServeStatus } from "../serve/serve-status.ts";
import type { Logger } from "../ports/logger.ts";
import { StartError, WrongConfigError } from "../serve/listen.ts";
import { LAME_DUCK_MS } from "../serve/serve-role.ts";
import { logFatalErrors } from "../supervisor/child-process.ts";
import type { CommandIo, CommandLine, ExitCode } from "./command.ts";
import { isDefault, loadAgain, loadFor, type Loaded } from "./config-session.ts";
import { withFreeGrpcPort } from "./grpc-port.ts";
import { hostInUrl } from "./host-in-url.ts";
import { openMetricsPort } from "./metrics-port.ts";
import { printStart } from "./print-start.ts";
import { removeRunState, writeRunState } from "./run-state.ts";
import { onSignals } from "./signals.ts";

/** What `up` and `serve` keep running in the foreground. */
export interface Running extends ServeStatus {
  readonly httpPort: number;
  /** Undefined when it is off. */
  readonly grpcPort: number | undefined;
  /** Undefined when it is off. */
  readonly controlPort: number | undefined;
  /** What runs: the file's, with what was changed while it ran before. */
  readonly config: Config;
  readonly processes: number;
  metrics(): Promise<readonly MetricSnapshot[]>;
  apply(file: Loaded): Promise<ServeStatus>;
  /** Answers what is in flight. @param lameDuckMs how long new requests are still taken. */
  stop(lameDuckMs: number): Promise<unknown>;
  /** Ends every other process at once. */
  kill(): void;
}

/**
 * Starts what a command line asks for and stays in front of it: prints the addresses, applies the file again
 * on SIGHUP, stops on SIGTERM and Ctrl-C.
 */
export async function runInForeground(
  line: CommandLine,
  io: CommandIo,
  start: (config: Config, logging: Logging, file: Loaded) => Promise<Running>,
): Promise<ExitCode> {
  const startedMs = performance.now();
  const loaded = await loadFor(line, io);
  if (loaded === undefined) return 2;
  // In a file, a model may appear later. A model named right here was mistyped.
  const [missing] = line.positionals.some((word) => word.endsWith(".onnx"))
    ? loaded.missingSources
    : [];
  if (missing !== undefined) {
    io.stderr.write(`Cannot serve "${missing.path}": there is no such file\n`);
    return 2;
  }
  const config = await withFreeGrpcPort(loaded.config, isDefault(loaded, "server.grpcPort"));
  const logging = await createLogging(config.server.log);
  const log = logging.loggerFor("millrace");
  logFatalErrors(logging.loggerFor);
  for (const warning of loaded.warnings) log.warn({ location: warning.location }, warning.message);
  let running: Running | undefined;
  let metricsPort: number | undefined;
  try {
    const started = await start(config, logging, loaded);
    running = started;
    const isDefaultPort = isDefault(loaded, "server.metricsPort");
    metricsPort = (await openMetricsPort(config, isDefaultPort, () => started.metrics(), log))
      ?.port;
  } catch (error) {
    io.stderr.write(`${(error as Error).message}\n`);
    await running?.stop(0); // what listens already would keep the process alive
    await logging.close();
    return error instanceof WrongConfigError ? 2 : 1;
  }
  const current = running;
  warnOfMovedPorts(loaded.config, current, log);
  // Before the addresses are printed: whoever waits for them may signal at once.
  const ended = stopped(current, () => reload(current, line, io, logging));
  const tookMs = Math.round(performance.now() - startedMs);
  printStart({ ...current, metricsPort, tookMs }, line.options.has("json"), io);
  await noteRunning(current, metricsPort);
  const code = await ended;
  await removeRunState(config.stateDir);
  await logging.close();
  process.exit(code);
}

/** Ports nobody chose give way when they are taken. */
function warnOfMovedPorts(
  { server }: Config,
  { grpcPort, controlPort }: Running,
  log: Logger,
): void {
  const ports = [
    { name: "gRPC", key: "grpcPort", port: grpcPort },
    { name: "Control", key: "controlPort", port: controlPort },
  ] as const;
  for (const { name, key, port } of ports) {
    const wanted = server[key];
    if (port === undefined || wanted === 0 || wanted === port) continue;
    const text = `${name} is on port ${port}: the default is in use, server.${key} chooses another`;
    log.warn({ wanted, port }, text);
  }
}

/** Leaves its addresses where other commands find them. */
async function noteRunning(
  { config, httpPort, controlPort, grpcPort }: Running,
  metricsPort: number | undefined,
): Promise<void> {
  const scheme = config.server.tls === undefined ? "http" : "https";
  const host = hostInUrl(config.server.host);
  const urlOf = (port: number): string => `${scheme}://${host}:${port}`;
  await writeRunState(config.stateDir, {
    pid: process.pid,
    url: urlOf(httpPort),
    ...(controlPort === undefined ? {} : { controlUrl: urlOf(controlPort) }),
    ...(grpcPort === undefined ? {} : { grpcUrl: urlOf(grpcPort) }),
    ...(metricsPort === undefined ? {} : { metricsUrl: `http://${host}:${metricsPort}/metrics` }),
  });
}

/** Waits for the signal that ends it. */
function stopped(running: Running, onReload: () => Promise<void>): Promise<ExitCode> {
  // One at a time: two files that are applied at once would undo each other.
  let reloading = Promise.resolve();
  return new Promise((resolve) => {
    // Timers do not keep the process alive, and while every serve process waits for its restart nothing else does.
    setInterval(() => undefined, 2 ** 30);
    onSignals({
      stop(signal) {
        // A terminal wants its prompt back; a load balancer needs a moment to look elsewhere.
        void running.stop(signal === "SIGTERM" ? LAME_DUCK_MS : 0).finally(() => resolve(0));
      },
      force() {
        running.kill();
        resolve(130);
      },
      reload: () => void (reloading = reloading.then(onReload)),
    });
  });
}

async function reload(
  running: Running,
  line: CommandLine,
  io: CommandIo,
  { loggerFor }: Logging,
): Promise<void> {
  const log = loggerFor("millrace");
  try {
    const result = await loadAgain(line, io);
    if (result.kind === "invalid") {
      const problems = result.problems.map((problem) => renderProblem(problem));
      const text = `The file was not applied, it is invalid: ${problems.join("; ")}`;
      log.error({ problems }, text);
      return;
    }
    const { models, graphs } = await running.apply(result);
    const notReady = [
      ...models.filter(({ isReady }) => !isReady).map(({ name }) => name),
      ...graphs.filter(({ isReady }) => !isReady).map(({ service }) => service),
    ];
    log.info({ models: models.map((model) => model.name), notReady }, "The file was applied");
  } catch (error) {
    const known = error instanceof StartError || (error as Error).name === "StartError";
    log.error(known ? {} : { err: error }, (error as Error).message);
  }
}
