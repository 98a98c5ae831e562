import type { InputConfig, ServiceConfig } from "../config/config.ts";
import type { Cancellation } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import type { Degradation } from "../core/graph/step-outcome.ts";
import type { AdmittedOutcome } from "../core/overload/admission.ts";
import { PredictionIds, type RandomBytes } from "../core/prediction-id.ts";
import type { Attributes } from "../core/rules/attributes.ts";
import { NO_RULE } from "../core/rules/rule-set.ts";
import { checkTensors } from "../core/tensor/check-tensors.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { plainModelOf } from "../graphs/plain-service.ts";
import type { ServiceGraphs } from "../graphs/service-graphs.ts";
import type { Models } from "../models/models.ts";
import type { Predictor, PredictorResult } from "../models/predictor.ts";
import type { RunLimits } from "../models/scheduled-model.ts";
import { modelsThatRan, type Call, type Prediction } from "./prediction.ts";
import { PredictionCounts } from "./prediction-counts.ts";
import { RecentPredictions, type AskedRules } from "./recent-predictions.ts";
import type { ServeMetrics } from "./serve-metrics.ts";
import type { ServiceCaches } from "./service-caches.ts";
import { Services } from "./services.ts";
import type { ProcessShare } from "./services.ts";

/** What chooses between the versions and models of a service; nothing takes the latest of its own model. */
export interface TargetChoice {
  /** Number as asked for. */
  readonly version?: number | undefined;
  /** What its rules and its steps may look at; without them no rule is asked. */
  readonly attributes?: Attributes;
}

/** Where a request goes: a service, and what answers for it. */
export interface Target {
  readonly service: ServiceConfig;
  readonly predictor: Predictor;
  /** Rule that chose it; undefined when none matched or none was asked. */
  readonly rule?: string | undefined;
  /** What the rules were asked; undefined when none was. */
  readonly asked?: AskedRules | undefined;
  readonly attributes?: Attributes | undefined;
}

/** What goes wrong behind an answer that was given nevertheless, for the log. Must not throw. */
export interface PredictionEvents {
  degraded(service: string, predictionId: string, degradation: Degradation): void;
}

export interface DataPlaneOptions {
  readonly models: Models;
  readonly graphs: ServiceGraphs;
  readonly caches: ServiceCaches;
  readonly metrics: ServeMetrics;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Limits are divided among the processes that share a port. */
  readonly share: ProcessShare;
  readonly events: PredictionEvents;
}

/** A prediction that is being made. */
interface Job {
  readonly service: ServiceConfig;
  readonly predictor: Predictor;
  readonly inputs: readonly Tensor[];
  readonly outputNames: readonly string[];
  readonly limits: RunLimits;
  readonly call: Call;
  readonly startedMs: number;
}

const NOTHING: readonly never[] = [];

/**
 * The one place where all protocols meet: names become what answers, deadlines are set, predictions are run, counted,
 * remembered and given an id. It knows nothing of HTTP.
 */
export class DataPlane {
  readonly models: Models;
  readonly graphs: ServiceGraphs;
  readonly metrics: ServeMetrics;
  readonly clock: Clock;
  readonly recent = new RecentPredictions();
  /** Version of the live changes that are in force; 0 is none. */
  overrideVersion = 0;
  readonly #ids: PredictionIds;
  readonly #services: Services;
  readonly #caches: ServiceCaches;
  readonly #counts: PredictionCounts;
  readonly #events: PredictionEvents;

  constructor(options: DataPlaneOptions) {
    this.models = options.models;
    this.graphs = options.graphs;
    this.metrics = options.metrics;
    this.clock = options.clock;
    this.#ids = new PredictionIds(options.random);
    this.#services = new Services(options.models, options.clock, options.share);
    this.#caches = options.caches;
    this.#counts = new PredictionCounts(options.metrics);
    this.#events = options.events;
  }

  /** The services with their rules and limits. */
  get services(): Services {
    return this.#services;
  }

  /**
   * Makes ready what other services need; nothing changes before what it returns is called.
   * @throws INVALID_OVERRIDE, MODEL_LOAD_FAILED when they cannot be served.
   */
  prepareServices(services: Readonly<Record<string, ServiceConfig>>): Promise<() => void> {
    return Promise.resolve(() => this.setServices(services));
  }

  /** Replaces the services in one step; the models they name must be there. Their graphs are `graphs`' to change. */
  setServices(services: Readonly<Record<string, ServiceConfig>>): void {
    this.#services.set(services);
    this.#caches.set(this.#services.all);
    this.#counts.keepOnly((name) => this.#services.find(name) !== undefined);
  }

  newPredictionId(): string {
    return this.#ids.next(this.clock.wallMs());
  }

  /** @throws MODEL_NOT_FOUND, MODEL_NOT_READY. */
  target(service: ServiceConfig, { version, attributes }: TargetChoice = {}): Target {
    const asked = attributes === undefined ? undefined : this.#match(service, attributes);
    try {
      const predictor =
        asked?.to === undefined
          ? this.#predictorOf(service, version)
          : this.predictor(asked.to, version);
      return { service, predictor, rule: asked?.rule, asked: asked?.asked, attributes };
    } catch (error) {
      this.#counts.failed(service.name, plainModelOf(service) ?? service.name, "", error);
      throw error;
    }
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
    throw new MillraceError("MODEL_NOT_READY", `Cannot predict: service "${name}" is not ready`, {
      retryAfterSeconds: 1,
    });
  }

  /** Everything that can answer for a service: the versions of its model, or its graph; empty when nothing is ready. */
  predictorsOf(service: ServiceConfig): readonly Predictor[] {
    const model = plainModelOf(service);
    if (model !== undefined) return this.models.model(model).versions;
    const graph = this.graphs.find(service.name);
    return graph === undefined ? [] : [graph];
  }

  /** What the file says about an input; of a graph's what it says about that of the model which takes it. */
  inputConfig(predictor: Predictor, input: string): InputConfig | undefined {
    const graph = this.graphs.find(predictor.modelName);
    const names = graph === predictor ? graph.versions.map(({ modelName }) => modelName) : [];
    for (const name of names.length > 0 ? names : [predictor.modelName]) {
      const found = this.models.find(name)?.config.inputs[input];
      if (found !== undefined) return found;
    }
    return undefined;
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
    if (service === undefined) return false;
    if (this.#services.rulesOf(service.name) !== undefined) return true;
    return (this.graphs.find(service.name)?.reads ?? "nothing") !== "nothing";
  }

  /** What is to be read of a request before its target is asked for. */
  readsOf(service: ServiceConfig): "nothing" | "head" | "body" {
    const rules = this.#services.rulesOf(service.name);
    const own = this.graphs.find(service.name)?.reads ?? "nothing";
    if (rules === undefined) return own;
    // A rule may lead to a graph that looks at the body.
    const others = service.rules.map(({ to }) => this.graphs.find(to)?.reads);
    const isBodyRead = rules.looksAtBody || own === "body" || others.includes("body");
    return isBodyRead ? "body" : "head";
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

  /** Where rules choose the model, nobody knows it yet. */
  #isTooLate(service: ServiceConfig): boolean {
    if (this.#services.rulesOf(service.name) !== undefined) return false;
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
    const job = this.#jobOf(target, inputs, outputNames, call);
    try {
      const prediction = await this.#answer(job);
      this.#remember(target, job, prediction);
      return prediction;
    } catch (error) {
      this.#rememberError(target, job, error);
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
        isInputOwned: call.isInputOwned ?? false,
      },
      call: predictor.reads === "nothing" ? call : { ...call, attributes },
      startedMs: this.clock.nowMs(),
    };
  }

  /** From the cache, from what answers for the service, or from what stands in for it. */
  async #answer(job: Job): Promise<Prediction> {
    const { service, predictor, call } = job;
    try {
      if (!service.parameters.isActive) return await this.#answerDeactivated(job);
      const cache = this.#caches.predictionCacheOf(service.name);
      if (cache === undefined) return await this.#predict(job);
      const key = cache.keyOf(predictor, job.inputs, job.outputNames);
      const found = cache.answer(key, (cancellation) => this.#predict(shared(job, cancellation)), {
        cancellation: call.cancellation,
        deadlineAtMs: job.limits.deadlineAtMs,
      });
      const answer = found instanceof Promise ? await found : found;
      return this.#cached(job, answer.cache, answer.outputs, answer.result);
    } catch (error) {
      const { modelName, version } = predictor;
      this.#counts.failed(service.name, modelName, String(version), error);
      if (isOverload(error)) return this.#answerOverloaded(job, error);
      throw error;
    }
  }

  /** @param result of the run that made the outputs; undefined when they were stored. */
  #cached(
    job: Job,
    cache: "hit" | "miss" | "stale",
    outputs: readonly Tensor[],
    result: Prediction | undefined,
  ): Prediction {
    const { call, predictor, service } = job;
    if (cache === "miss" && result !== undefined) return { ...result, cache };
    const facts = result ?? answeredBy(predictor);
    const prediction = { ...facts, id: call.predictionId, outputs, cache, queueMs: 0, batchMs: 0 };
    this.#counts.answeredFromCache(service.name, predictor, this.clock.nowMs() - job.startedMs);
    return { ...prediction, computeMs: 0, trace: undefined };
  }

  /** Lets what answers run, when the limits of the service let it in. */
  async #predict(job: Job): Promise<Prediction> {
    const { service, predictor, inputs, outputNames, limits, call } = job;
    predictor.hold();
    try {
      const result = await this.#admitted(service, limits, job.startedMs, () =>
        predictor.run(inputs, outputNames, limits, call),
      );
      this.#counts.answered(service.name, predictor, this.clock.nowMs() - job.startedMs, result);
      return this.#predictionOf(job, result);
    } finally {
      const { trace } = call;
      if (trace !== undefined) this.#counts.steps(service.name, trace);
      predictor.release();
    }
  }

  #predictionOf({ service, predictor, call }: Job, result: PredictorResult): Prediction {
    const { graph, outputs, queueMs, batchMs, computeMs } = result;
    const degradations = graph?.degraded ?? NOTHING;
    for (const one of degradations) this.#events.degraded(service.name, call.predictionId, one);
    const isFallback = predictor.fallbackReason !== undefined;
    return {
      id: call.predictionId,
      predictor,
      model: graph === undefined ? predictor.id : modelsThatRan(graph.trace) || predictor.id,
      outputs,
      queueMs,
      batchMs,
      computeMs,
      degraded: degradationOf(degradations) ?? (isFallback ? "fallback" : undefined),
      degradations,
      cache: undefined,
      trace: graph?.trace,
    };
  }

  /** Runs what the limits of the service let in. @throws OVERLOADED for what they do not. */
  async #admitted<T>(
    service: ServiceConfig,
    limits: RunLimits,
    nowMs: number,
    run: () => Promise<T>,
  ): Promise<T> {
    const admission = this.#services.admissionOf(service.name);
    if (admission === undefined) return run(); // what came before the service was removed is served
    const answer = admission.admit(nowMs, limits.deadlineAtMs, limits.cancellation);
    if (answer instanceof MillraceError) throw answer;
    if (answer !== "admitted") await answer;
    let outcome: AdmittedOutcome = "ignored";
    try {
      const result = await run();
      outcome = "done";
      return result;
    } catch (error) {
      if (error instanceof MillraceError && error.code === "DEADLINE_EXCEEDED") outcome = "expired";
      throw error;
    } finally {
      admission.release(this.clock.nowMs() - limits.receivedMs, outcome);
    }
  }

  /** What a service answers whose `activate` is off. @throws DEACTIVATED unless something stands in. */
  async #answerDeactivated(job: Job): Promise<Prediction> {
    const { service } = job;
    const { deactivated } = service.parameters;
    const off = deactivatedError(service.name);
    if (typeof deactivated === "object") return this.#standIn(deactivated.fallback, job, off);
    // Its prediction is remembered and nobody's answer.
    if (deactivated === "observe") await this.#predict(job);
    throw off;
  }

  /** What a request gets that the limits do not let in. @throws the overload where nothing stands in. */
  async #answerOverloaded(job: Job, error: MillraceError): Promise<Prediction> {
    const { service, predictor } = job;
    const { overload } = service;
    if (overload.kind === "fallback") {
      const answer = await this.#standIn(overload.model, job, error);
      this.metrics.countFallback(service.name, overload.model, answer.predictor.version);
      return answer;
    }
    const cache = this.#caches.predictionCacheOf(service.name);
    if (overload.kind !== "cached" || cache === undefined) throw error;
    const old = await cache.stale(cache.keyOf(predictor, job.inputs, job.outputNames));
    if (old === undefined) throw error;
    return { ...this.#cached(job, "stale", old.outputs, undefined), degraded: "cached" };
  }

  /** The answer of what stands in; its own queue protects it. @throws `error` when it cannot. */
  async #standIn(name: string, job: Job, error: MillraceError): Promise<Prediction> {
    try {
      const predictor = this.predictor(name);
      const names = job.outputNames.map((output) => predictor.findOutput(output)?.name ?? "");
      const known = names.includes("") ? predictor.predictionNames : names;
      const inputs = checkTensors(job.inputs, predictor.inputs);
      const instead = { ...job, predictor, inputs, outputNames: known };
      predictor.hold();
      try {
        const result = await predictor.run(inputs, known, job.limits, job.call);
        return { ...this.#predictionOf(instead, result), degraded: "fallback" };
      } finally {
        predictor.release();
      }
    } catch {
      throw error;
    }
  }

  #remember({ rule, asked }: Target, job: Job, prediction: Prediction): void {
    const { id, model, queueMs, batchMs, computeMs, degraded, cache, trace } = prediction;
    const base = this.#recordOf(job, rule, asked);
    const times = { queueMs, batchMs, computeMs };
    this.recent.add({ ...base, ...times, id, model, degraded, cache, trace });
  }

  #rememberError({ rule, asked }: Target, job: Job, error: unknown): void {
    const isKnown = error instanceof MillraceError;
    this.recent.add({
      ...this.#recordOf(job, rule, asked),
      code: isKnown ? error.code : "INTERNAL",
      message: isKnown ? error.message : undefined,
      trace: job.call.trace,
    });
  }

  #recordOf(
    { service, predictor, call, limits }: Job,
    rule: string | undefined,
    asked: AskedRules | undefined,
  ) {
    const tookMs = this.clock.nowMs() - limits.receivedMs;
    return {
      id: call.predictionId,
      service: service.name,
      model: predictor.id,
      rule,
      asked,
      overrideVersion: this.overrideVersion,
      receivedWallMs: this.clock.wallMs() - tookMs,
      tookMs,
      queueMs: 0,
      batchMs: 0,
      computeMs: 0,
      code: "ok" as const,
      message: undefined,
      degraded: undefined,
      cache: undefined,
      trace: undefined,
    };
  }
}

/** The same for all who wait for it: their own cancellation and memory are not the run's. */
function shared(job: Job, cancellation: Cancellation): Job {
  return { ...job, limits: { ...job.limits, cancellation, isInputOwned: false } };
}

function answeredBy(predictor: Predictor): Omit<Prediction, "id" | "outputs" | "cache"> {
  return {
    predictor,
    model: predictor.id,
    queueMs: 0,
    batchMs: 0,
    computeMs: 0,
    degraded: undefined,
    degradations: NOTHING,
    trace: undefined,
  };
}

/** Something that is left out weighs more than something that another step gave. */
function degradationOf(degradations: readonly Degradation[]): "fallback" | "partial" | undefined {
  if (degradations.length === 0) return undefined;
  return degradations.every(({ kind }) => kind === "fallback") ? "fallback" : "partial";
}

function isOverload(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.code === "OVERLOADED";
}

function noSuchVersion(name: string, version: number): MillraceError {
  return new MillraceError(
    "MODEL_NOT_FOUND",
    `Request for unknown model: '${name}' has no version ${version}, its graph has 1`,
  );
}

function deactivatedError(service: string): MillraceError {
  return MillraceError.withoutStack(
    "DEACTIVATED",
    `Cannot predict: service "${service}" is deactivated, services.${service}.parameters.activate is off`,
  );
}
