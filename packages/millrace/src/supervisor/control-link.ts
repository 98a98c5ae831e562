import { describeLimits } from "../config/describe-limits.ts";
import { describeGraph } from "../graphs/describe-graph.ts";
import type { Clock } from "../core/clock.ts";
import { configJsonSchema } from "../config/json-schema.ts";
import { findLiveKey } from "../config/live-key.ts";
import { liveRow, liveRows, type ConfigRow } from "../config/print.ts";
import type { ConfigProblem } from "../config/problem.ts";
import type { ChangeOrder, PersistOrder, UpStatus } from "../control/control-messages.ts";
import { MillraceError, PROBLEMS_MAX } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { answerIfAny } from "./answer-if-any.ts";
import type { Logger } from "../ports/logger.ts";
import type { Methods } from "./ipc-peer.ts";
import type { KeptFacts } from "./kept-process.ts";
import { layAll, layWhatFits, type Layers } from "./layers.ts";
import { logSetAside } from "./log-set-aside.ts";
import type { RunningConfig } from "./running-config.ts";
import type { ServeProcess } from "./serve-process.ts";

/** What is asked of a serve process here. */
type AskedProcess = Pick<ServeProcess, "status" | "explain">;

export interface ControlLinkOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly running: RunningConfig;
  readonly serving: () => readonly AskedProcess[];
  readonly kept: () => readonly KeptFacts[];
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

  #explain(predictionId: string): Promise<JsonValue | undefined> {
    return this.#firstAnswer((process) => process.explain(predictionId));
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
