import { describeLimits } from "../config/describe-limits.ts";
import { describeGraph } from "../graphs/describe-graph.ts";
import type { Clock } from "../core/clock.ts";
import { configJsonSchema } from "../config/json-schema.ts";
import { findLiveKey } from "../config/live-key.ts";
import { liveRow, liveRows, type ConfigRow } from "../config/print.ts";
import type { ConfigProblem } from "../config/problem.ts";
import type {
  ChangeOrder,
  LogReport,
  PersistOrder,
  UpStatus,
} from "../control/control-messages.ts";
import type { SkippedCopies, TrafficReport } from "../control/releases/traffic-report.ts";
import { MillraceError, PROBLEMS_MAX } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import { explainRows } from "../core/predictions/explain-rows.ts";
import type { Explanation, FoundRows } from "../core/predictions/explanation.ts";
import { readPredictionKey } from "../core/predictions/prediction-key.ts";
import type { ForgetOrder, ForgetResult, LogStatus } from "../shipping/log-messages.ts";
import { answerIfAny } from "./answer-if-any.ts";
import type { Logger } from "../ports/logger.ts";
import type { Methods } from "./ipc-peer.ts";
import type { KeptFacts } from "./kept-process.ts";
import { layAll, layWhatFits, type Layers } from "./layers.ts";
import { logSetAside } from "./log-set-aside.ts";
import type { RunningConfig } from "./running-config.ts";
import type { ServeProcess } from "./serve-process.ts";
import { trafficReport } from "./traffic-report.ts";

/** What is asked of a serve process here. */
type AskedProcess = Pick<ServeProcess, "status" | "explain" | "metrics">;

/** What is asked of the log process here. Each throws LOG_UNAVAILABLE when it does not run or does not answer. */
export interface AskedLog {
  find(predictionId: string): Promise<FoundRows | undefined>;
  status(): Promise<LogStatus>;
  forget(order: ForgetOrder): Promise<ForgetResult>;
}

export interface ControlLinkOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly running: RunningConfig;
  readonly serving: () => readonly AskedProcess[];
  readonly kept: () => readonly KeptFacts[];
  /** Undefined where nothing is logged. */
  readonly predictionLog: AskedLog | undefined;
  readonly processCount: number;
  /** Makes a change everywhere or nowhere. */
  readonly change: (
    lay: (before: Layers) => Promise<Layers>,
    persist: (before: Layers) => Promise<void>,
  ) => Promise<void>;
  readonly persist: (order: PersistOrder) => Promise<void>;
  /** Brings what control keeps into force. */
  readonly adoptKept: () => Promise<void>;
}

/** What the control process may ask of the supervisor. */
export class ControlLink {
  readonly #options: ControlLinkOptions;

  constructor(options: ControlLinkOptions) {
    this.#options = options;
  }

  get methods(): Methods {
    return {
      change: (order: ChangeOrder) => this.#change(order),
      adoptKept: () => this.#options.adoptKept(),
      status: () => this.#status(),
      liveValues: (path: string | undefined) => Promise.resolve(this.#liveValues(path)),
      explain: (predictionId: string) => this.#explain(predictionId),
      logStatus: () => this.#logStatus(),
      forget: async (order: ForgetOrder) => this.#log.forget(order),
      traffic: () => this.#traffic(),
      skippedCopies: () => this.#skippedCopies(),
    };
  }

  async #change({ overrides, paths, isExpiry }: ChangeOrder): Promise<void> {
    const { log } = this.#options;
    const lay = async ({ file, setAside }: Layers): Promise<Layers> => {
      const result = await layAll(file, overrides, setAside);
      if (result.kind === "invalid" && isExpiry) {
        const layers = await layWhatFits(file, overrides);
        logSetAside(layers.setAside, log);
        return layers;
      }
      if (result.kind === "ok") return result.layers;
      throw invalidOverride(result.problems);
    };
    const persist = async ({ laid }: Layers): Promise<void> => {
      const previous = Object.fromEntries(
        paths.map((path) => [path, liveRow(laid, path)?.value as JsonValue | undefined]),
      );
      await this.#options.persist({ version: overrides.version, previous });
    };
    await this.#options.change(lay, persist);
  }

  async #status(): Promise<UpStatus> {
    const { running, kept, processCount } = this.#options;
    const { layers, config, order } = running;
    const { name, services } = config;
    const status = await this.#firstAnswer((process) => process.status());
    const graphs = new Map(status?.graphs.map((graph) => [graph.service, graph]));
    return {
      name,
      overrideVersion: order.overrideVersion,
      setAside: layers.setAside,
      processes: kept().map(({ label, process, state, restartCount }) => ({
        process: label,
        pid: process?.pid,
        state,
        restarts: restartCount,
      })),
      models: status?.models ?? [],
      services: Object.values(services).map((service) => ({
        name: service.name,
        isDefault: service.isDefault,
        runs: describeGraph(service),
        problem: graphs.get(service.name)?.problem,
        limits: describeLimits(service.limits, processCount),
      })),
    };
  }

  #liveValues(path: string | undefined): readonly ConfigRow[] {
    const { laid } = this.#options.running.layers;
    if (path === undefined) return liveRows(laid);
    const row = liveRow(laid, path);
    if (row !== undefined) return [row];
    const key = findLiveKey(path, configJsonSchema(), laid.tree);
    const why = key.kind === "unknown" ? key.message : "it has no value";
    throw new MillraceError("INVALID_OVERRIDE", `Cannot find "${path}": ${why}`);
  }

  /** What a process remembers, with the rows of the log: nobody remembers those. */
  async #explain(asked: string): Promise<Explanation | undefined> {
    const remembered = await this.#firstAnswer((process) => process.explain(asked));
    // It may have been asked for by the id of its request.
    const isId = readPredictionKey(asked) !== undefined;
    const predictionId = isId ? asked : (remembered?.prediction_id ?? asked);
    try {
      const found = await this.#options.predictionLog?.find(predictionId);
      const logged = found && explainRows(found);
      return remembered === undefined ? logged : { ...logged, ...remembered };
    } catch (error) {
      if (remembered === undefined) throw error;
      return remembered;
    }
  }

  async #traffic(): Promise<TrafficReport> {
    const { running } = this.#options;
    const isAsked = Object.values(running.config.services).some(({ experiment }) => experiment);
    const status = isAsked ? await this.#firstAnswer((process) => process.status()) : undefined;
    // Both of them after the wait: nothing has changed between them.
    return trafficReport(running.layers, running.order, status);
  }

  async #skippedCopies(): Promise<readonly SkippedCopies[]> {
    const snapshots = await this.#snapshots();
    const found = snapshots.filter(({ name }) => name === "shadow_skipped_total");
    return found.flatMap(({ labelNames, series }) =>
      series.map(({ labels, value }) => {
        const of = (name: string): string => labels[labelNames.indexOf(name)] ?? "";
        return {
          service: of("service"),
          shadow: of("shadow"),
          reason: of("reason"),
          count: value,
        };
      }),
    );
  }

  /** Metrics of every serve process that answers. */
  async #snapshots(): Promise<readonly MetricSnapshot[]> {
    const { serving, clock } = this.#options;
    const reads = serving().map((process) => answerIfAny(process.metrics(), clock));
    return (await Promise.all(reads)).flatMap((snapshot) => snapshot ?? []);
  }

  async #logStatus(): Promise<LogReport> {
    const log = await this.#log.status();
    const snapshots = await this.#snapshots();
    return {
      log,
      dropped: sumByLabel(snapshots, "predlog_dropped_total"),
      withoutPayload: sumByLabel(snapshots, "predlog_payloads_dropped_total"),
    };
  }

  /** @throws LOG_UNAVAILABLE */
  get #log(): AskedLog {
    const { predictionLog } = this.#options;
    if (predictionLog !== undefined) return predictionLog;
    throw new MillraceError(
      "LOG_UNAVAILABLE",
      "Cannot ask the prediction log: there is none, log.sink is off and log.text absent, or there is no state.dir",
    );
  }

  /** Of a process that has one; one that ends takes what it knows with it, one that hangs keeps it to itself. */
  async #firstAnswer<Answer>(
    ask: (process: AskedProcess) => Promise<Answer | undefined>,
  ): Promise<Answer | undefined> {
    const { serving, clock } = this.#options;
    const answers = serving().map(async (process) => {
      const answer = await answerIfAny(ask(process), clock);
      if (answer !== undefined) return answer;
      throw new Error("it has none");
    });
    return Promise.any(answers).catch(() => undefined);
  }
}

/** Values of a metric with one label, summed by that label; empty where nobody has it. */
function sumByLabel(
  snapshots: readonly MetricSnapshot[],
  name: string,
): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const { series } of snapshots.filter((snapshot) => snapshot.name === name)) {
    for (const { labels, value } of series) {
      const [label = ""] = labels;
      sums[label] = (sums[label] ?? 0) + value;
    }
  }
  return sums;
}

/** What the schema has against an override, as an error of the table. */
function invalidOverride(problems: readonly ConfigProblem[]): MillraceError {
  const all = problems.map(({ path, message, didYouMean }) => {
    const hint = didYouMean === undefined ? "" : `. Did you mean "${didYouMean}"?`;
    return { location: ["config", path], message: `${message}${hint}`, type: "config" };
  });
  const text = all.map(({ location, message }) => `${location[1] ?? ""}: ${message}`).join("; ");
  return new MillraceError("INVALID_OVERRIDE", `Cannot set ${text}`, {
    problems: all.slice(0, PROBLEMS_MAX),
  });
}
