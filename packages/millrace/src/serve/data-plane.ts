import type { ServiceConfig } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import { PredictionIds, type RandomBytes } from "../core/prediction-id.ts";
import type { PredictionRole } from "../core/predictions/logged-prediction.ts";
import type { Attributes } from "../core/rules/attributes.ts";
import { NO_RULE } from "../core/rules/rule-set.ts";
import { checkTensors } from "../core/tensor/check-tensors.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { plainModelOf } from "../graphs/plain-service.ts";
import type { ServiceGraphs } from "../graphs/service-graphs.ts";
import type { Models } from "../models/models.ts";
import type { Predictor, Reads } from "../models/predictor.ts";
import { Answers, type Job, type PredictionEvents } from "./answers.ts";
import { expose } from "./experiments/expose.ts";
import type { ChosenArm, NamedUnit } from "./experiments/service-experiment.ts";
import type { ServiceExperiments } from "./experiments/service-experiments.ts";
import { WARM_UP, type Call, type Prediction } from "./prediction.ts";
import { PredictionCounts } from "./prediction-counts.ts";
import type { PredictionLog } from "./prediction-log.ts";
import { logReadsOf } from "./prediction-log/log-reads.ts";
import { RecentPredictions, type AskedRules, type PredictionRecord } from "./recent-predictions.ts";
import type { RequestTraces } from "./request-traces.ts";
import type { ServeMetrics } from "./serve-metrics.ts";
import type { ServiceCaches } from "./service-caches.ts";
import { Services } from "./services.ts";
import { ShadowCopies, type ShadowCopiesOptions } from "./shadows/shadow-copies.ts";
import type { ProcessShare } from "./services.ts";

/** What chooses between the versions and models of a service; nothing takes the latest of its own model. */
export interface TargetChoice {
  /** Number as asked for: who names one has chosen, and no rule is asked. */
  readonly version?: number | undefined;
  /** What its rules, its experiment and its steps may look at; without them no rule is asked. */
  readonly attributes?: Attributes;
  /** For whom it is, from a caller whose requests have no attributes; without both there is no experiment. */
  readonly named?: NamedUnit;
  /** By default it takes part in the experiment of the service. */
  readonly participation?: Participation | undefined;
  /** Told what chose, also when that cannot answer. */
  readonly facts?: ChoiceFacts;
}

/** What is said of a request beside its answer. */
export interface ChoiceFacts {
  /** Rule that chose. */
  rule: string | undefined;
  /** Arm that was chosen. */
  variant: string | undefined;
}

/** `test`: it is nobody's request, so it does not count, but it may name its arm. `none`: there is no experiment for it. */
export type Participation = "test" | "none";

/** Where a request goes: a service, and what answers for it. */
export interface Target {
  readonly service: ServiceConfig;
  readonly predictor: Predictor;
  /** Rule that chose it; undefined when none matched or none was asked. */
  readonly rule?: string | undefined;
  /** What the rules were asked; undefined when none was. */
  readonly asked?: AskedRules | undefined;
  /** Of the service's experiment; undefined when it has none or something else chose. */
  readonly arm?: ChosenArm | undefined;
  readonly attributes?: Attributes | undefined;
}

export interface DataPlaneOptions {
  readonly models: Models;
  readonly graphs: ServiceGraphs;
  readonly caches: ServiceCaches;
  readonly experiments: ServiceExperiments;
  readonly metrics: ServeMetrics;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Limits are divided among the processes that share a port. */
  readonly share: ProcessShare;
  readonly events: PredictionEvents;
  /** Undefined where no prediction is logged. */
  readonly log?: PredictionLog | undefined;
  /** Undefined where the file asks for no traces. */
  readonly traces?: RequestTraces | undefined;
  /** What shadows need beside that; undefined where nothing is copied to any. */
  readonly shadows?: Pick<ShadowCopiesOptions, "random" | "events" | "openComparator"> | undefined;
}

/** What is remembered of a request that failed. */
const NO_PREDICTION = {
  model: undefined,
  queueMs: 0,
  batchMs: 0,
  computeMs: 0,
  degraded: undefined,
  cache: undefined,
} as const;

/**
 * The one place where all protocols meet: names become what answers, deadlines are set, predictions are run, counted,
 * remembered and given an id. It knows nothing of HTTP.
 */
export class DataPlane {
  readonly models: Models;
  readonly graphs: ServiceGraphs;
  readonly experiments: ServiceExperiments;
  readonly metrics: ServeMetrics;
  readonly clock: Clock;
  /** Undefined where no prediction is logged. */
  readonly log: PredictionLog | undefined;
  /** Undefined where the file asks for no traces. */
  readonly traces: RequestTraces | undefined;
  readonly recent = new RecentPredictions();
  /** Undefined where nothing is copied to any. */
  readonly shadows: ShadowCopies | undefined;
  /** Version of the live changes that are in force; 0 is none. */
  overrideVersion = 0;
  readonly #ids: PredictionIds;
  readonly #services: Services;
  readonly #caches: ServiceCaches;
  readonly #counts: PredictionCounts;
  readonly #answers: Answers;

  constructor(options: DataPlaneOptions) {
    this.models = options.models;
    this.graphs = options.graphs;
    this.experiments = options.experiments;
    this.metrics = options.metrics;
    this.clock = options.clock;
    this.log = options.log;
    this.traces = options.traces;
    this.#ids = new PredictionIds(options.random);
    this.#services = new Services(options.models, options.clock, options.share);
    this.#caches = options.caches;
    this.#counts = new PredictionCounts(options.metrics);
    this.#answers = new Answers({
      ...options,
      services: this.#services,
      counts: this.#counts,
      predictor: (name) => this.predictor(name),
    });
    const { shadows, metrics, clock, log } = options;
    const predictor = (name: string): Predictor => this.predictor(name);
    this.shadows = shadows && new ShadowCopies({ ...shadows, metrics, clock, log, predictor });
  }

  /** The services with their rules and limits. */
  get services(): Services {
    return this.#services;
  }

  /**
   * Replaces the services in one step; the models they name must be there. Their graphs are `graphs`' to change, their
   * experiments are `experiments`'.
   */
  setServices(services: Readonly<Record<string, ServiceConfig>>): void {
    this.#services.set(services);
    this.#caches.set(this.#services.all);
    this.shadows?.configure(this.#services.all);
    this.#counts.keepOnly((name) => this.#services.find(name) !== undefined);
  }

  newPredictionId(): string {
    return this.#ids.next(this.clock.wallMs());
  }

  /**
   * The first of these that there is: the version that was asked for, the rule that matches, the arm of the experiment,
   * the service itself.
   * @throws MODEL_NOT_FOUND, MODEL_NOT_READY; INVALID_HEADER when the request names an arm there is not.
   */
  target(service: ServiceConfig, choice: TargetChoice = {}): Target {
    const { version, attributes, facts } = choice;
    const isRuled = attributes !== undefined && version === undefined;
    const asked = isRuled ? this.#match(service, attributes) : undefined;
    try {
      const arm = asked?.to === undefined ? this.#armOf(service, choice) : undefined;
      const rule = asked?.rule;
      if (facts !== undefined) tell(facts, rule, arm);
      const to = asked?.to ?? arm?.to;
      const predictor =
        to === undefined ? this.#predictorOf(service, version) : this.predictor(to, version);
      return { service, predictor, rule, asked: asked?.asked, arm, attributes };
    } catch (error) {
      this.#counts.failed(service.name, plainModelOf(service) ?? service.name, "", error);
      throw error;
    }
  }

  #armOf(service: ServiceConfig, choice: TargetChoice): ChosenArm | undefined {
    const { version, attributes, named, participation } = choice;
    if (participation === "none") return undefined;
    if (service.experiment === undefined || version !== undefined) return undefined;
    if (attributes === undefined && named === undefined) return undefined;
    const experiment = this.experiments.find(service.name);
    if (experiment === undefined) throw experimentNotReady(service);
    return attributes === undefined
      ? named && experiment.chooseFor(named)
      : experiment.choose(attributes, participation === "test");
  }

  /**
   * What answers for a service or model.
   * @param version number of the model; undefined takes the latest.
   * @throws MODEL_NOT_FOUND, MODEL_NOT_READY.
   */
  predictor(name: string, version?: number): Predictor {
    const service = this.#services.find(name);
    return service === undefined
      ? this.models.version(name, version)
      : this.#predictorOf(service, version);
  }

  #predictorOf(service: ServiceConfig, version: number | undefined): Predictor {
    const model = plainModelOf(service);
    if (model !== undefined) return this.models.version(model, version);
    const { name } = service;
    const graph = this.graphs.find(name);
    if (version !== undefined && version !== 1) throw noSuchVersion(name, version);
    if (graph !== undefined) return graph;
    const why = this.graphs.problemOf(name);
    throw new MillraceError(
      "MODEL_NOT_READY",
      `Cannot predict: service "${name}" is not ready${why === undefined ? "" : `: ${why}`}`,
      { retryAfterSeconds: 1 },
    );
  }

  /** Everything that can answer for a service: the versions of its model, or its graph; empty when nothing is ready. */
  predictorsOf(service: ServiceConfig): readonly Predictor[] {
    const model = plainModelOf(service);
    if (model !== undefined) return this.models.find(model)?.versions ?? [];
    const graph = this.graphs.find(service.name);
    return graph === undefined ? [] : [graph];
  }

  /** The first rule that matches, counted; undefined where there are none. */
  #match(
    service: ServiceConfig,
    attributes: Attributes,
  ): { to: string | undefined; rule: string | undefined; asked: AskedRules } | undefined {
    const rules = this.#services.rulesOf(service.name);
    if (rules === undefined) return undefined;
    const wallMs = this.clock.wallMs();
    const { rule, invalidCount } = rules.match(attributes, wallMs);
    this.metrics.countRouted(service.name, rule?.name ?? NO_RULE);
    if (invalidCount > 0) this.metrics.countInvalidAttributes(service.name, invalidCount);
    const asked = { rules, attributes: rules.keep(attributes), wallMs };
    return { to: rule?.to, rule: rule?.name, asked };
  }

  /** Is more of a request looked at than its body and a few headers? Then a front end keeps all of its head. */
  needsHead(name: string | undefined): boolean {
    const service = this.#services.find(name);
    return service !== undefined && this.readsOf(service) !== "nothing";
  }

  /** What is to be read of a request before its target is asked for. */
  readsOf(service: ServiceConfig): Reads {
    const rules = this.#services.rulesOf(service.name);
    let reads = this.log === undefined ? "nothing" : logReadsOf(service.log);
    if (rules?.looksAtBody === true || reads === "body") return "body";
    if (rules !== undefined) reads = "head";
    if (service.experiment !== undefined) {
      if (this.experiments.find(service.name)?.reads === "body") return "body";
      reads = "head";
    }
    for (const name of this.#services.graphsOf(service.name)) {
      const own = this.graphs.find(name)?.reads;
      if (own === "body") return "body";
      if (own === "head") reads = "head";
    }
    return reads;
  }

  /**
   * Why a request for this service would be refused, asked in constant time before its body is read. It counts as a
   * refused request; undefined lets it pass, to be judged by what it holds.
   * @param name undefined is the default service.
   */
  refuseEarly(name: string | undefined): string | undefined {
    const service = this.#services.find(name);
    if (service === undefined || !this.isRefusable(name)) return undefined;
    const full = this.#services.admissionOf(service.name)?.refusalReason;
    const reason = full ?? (this.#isTooLate(service) ? "predicted_deadline" : undefined);
    if (reason !== undefined) this.countRefusal(name, reason);
    return reason;
  }

  /** Where rules or an experiment choose the model, nobody knows it yet. */
  #isTooLate(service: ServiceConfig): boolean {
    const { name, experiment } = service;
    if (experiment !== undefined || this.#services.rulesOf(name) !== undefined) return false;
    const model = this.models.find(plainModelOf(service) ?? "");
    return model?.latest?.isTooLate(service.timeoutMs) ?? false;
  }

  /**
   * May a front end refuse by itself? Not where an overload is answered in another way or a cache may know the answer,
   * nor for unknown names.
   */
  isRefusable(name: string | undefined): boolean {
    const service = this.#services.find(name);
    return service?.overload.kind === "reject" && service.cache.prediction === undefined;
  }

  /** Counts a request that a front end refused by itself. */
  countRefusal(name: string | undefined, reason: string): void {
    const service = this.#services.find(name);
    this.metrics.countRejection(reason);
    if (service === undefined) return;
    const model = plainModelOf(service) ?? service.name;
    this.metrics.countError(service.name, model, "", "OVERLOADED");
  }

  /**
   * Predicts.
   * @param inputs one per input of the predictor, checked against it.
   * @throws OVERLOADED, DEADLINE_EXCEEDED, CANCELLED, DEACTIVATED, MODEL_FAILED, and what a step of a graph throws.
   */
  async infer(
    target: Target,
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    call: Call,
  ): Promise<Prediction> {
    const isLogged = target.service.log.payload !== "off" && call.endpoint !== WARM_UP;
    const log = isLogged ? this.log : undefined;
    const room = log && this.#roomInLog(log, target);
    if (room !== undefined) await room;
    const job = this.#jobOf(target, inputs, outputNames, call);
    try {
      const prediction = await this.#answers.answer(job);
      const record = this.#remember(target, job, prediction);
      log?.add({ job, record, prediction });
      this.shadows?.copy(job, record, prediction);
      if (target.arm !== undefined) expose(target.arm, record, log);
      return prediction;
    } catch (error) {
      const record = this.#remember(target, job, undefined, error);
      log?.add({ job, record, prediction: undefined });
      this.shadows?.copy(job, record, undefined);
      if (target.arm !== undefined) expose(target.arm, record, log);
      throw error;
    }
  }

  /** @throws OVERLOADED, counted, where the file wants no prediction without a row. */
  #roomInLog(log: PredictionLog, { service, predictor }: Target): Promise<void> | undefined {
    try {
      return log.admit();
    } catch (error) {
      this.#counts.failed(service.name, predictor.modelName, String(predictor.version), error);
      throw error;
    }
  }

  #jobOf(
    target: Target,
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    call: Call,
  ): Job {
    const { service, attributes } = target;
    // A body that took long to unpack may have outlasted the version it was read for.
    const { modelName, isClosed } = target.predictor;
    const predictor = isClosed ? this.predictor(modelName) : target.predictor;
    const isInputOwned =
      call.isInputOwned === true &&
      this.shadows?.wants(service, call) !== true &&
      this.log?.keepsInputs(service, predictor, inputs) !== true;
    return {
      service,
      predictor,
      inputs: predictor === target.predictor ? inputs : checkTensors(inputs, predictor.inputs),
      outputNames,
      limits: {
        receivedMs: call.receivedMs,
        deadlineAtMs: call.receivedMs + Math.min(service.timeoutMs, call.timeoutMs ?? Infinity),
        priority: call.priority,
        cancellation: call.cancellation,
        isInputOwned,
      },
      call: attributes === undefined ? call : { ...call, attributes },
      startedMs: this.clock.nowMs(),
    };
  }

  /** @param prediction undefined where `error` says why there is none. */
  #remember(target: Target, job: Job, prediction?: Prediction, error?: unknown): PredictionRecord {
    const { service, predictor, call, limits, inputs } = job;
    const tookMs = this.clock.nowMs() - limits.receivedMs;
    const known = error instanceof MillraceError ? error : undefined;
    const made = prediction ?? NO_PREDICTION;
    const record: PredictionRecord = {
      id: call.predictionId,
      requestId: call.requestId,
      traceId: call.traceContext?.traceId,
      service: service.name,
      endpoint: call.endpoint,
      model: made.model ?? predictor.id,
      digest: predictor.digest,
      role: prediction === undefined ? "primary" : roleOf(prediction),
      rowCount: predictor.rowsOf(inputs),
      rule: target.rule,
      asked: target.asked,
      arm: target.arm,
      overrideVersion: this.overrideVersion,
      receivedWallMs: this.clock.wallMs() - tookMs,
      tookMs,
      queueMs: made.queueMs,
      batchMs: made.batchMs,
      computeMs: made.computeMs,
      code: prediction === undefined ? (known?.code ?? "INTERNAL") : "ok",
      message: known?.message,
      degraded: made.degraded,
      cache: made.cache,
      trace: prediction === undefined ? call.trace : prediction.trace,
      observed: call.observed,
    };
    this.recent.add(record);
    if (call.requestTrace !== undefined) call.requestTrace.record = record;
    return record;
  }
}

function tell(facts: ChoiceFacts, rule: string | undefined, arm: ChosenArm | undefined): void {
  facts.rule = rule;
  facts.variant = arm?.assignment.arm;
}

function roleOf({ cache, degraded }: Prediction): PredictionRole {
  if (cache === "hit" || cache === "stale") return "cache";
  return degraded === "fallback" ? "fallback" : "primary";
}

function experimentNotReady({ name, experiment }: ServiceConfig): MillraceError {
  const text = `Cannot predict: experiment "${experiment?.name ?? ""}" of service "${name}" is not ready`;
  return new MillraceError("MODEL_NOT_READY", text, { retryAfterSeconds: 1 });
}

function noSuchVersion(name: string, version: number): MillraceError {
  return new MillraceError(
    "MODEL_NOT_FOUND",
    `Request for unknown model: '${name}' has no version ${version}, its graph has 1`,
  );
}
