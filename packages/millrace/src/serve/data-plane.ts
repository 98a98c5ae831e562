import type { ServiceConfig } from "../config/config.ts";
import { divideLimits } from "../config/divide-limits.ts";
import type { Priority } from "../core/batch/batch.ts";
import type { Cancellation } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import { Admission, type AdmittedOutcome } from "../core/overload/admission.ts";
import { PredictionIds, type RandomBytes } from "../core/prediction-id.ts";
import { checkTensors } from "../core/tensor/check-tensors.ts";
import type { Attributes } from "../core/rules/attributes.ts";
import { NO_RULE, RuleSet, type Rule } from "../core/rules/rule-set.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { Models } from "../models/models.ts";
import type { ModelVersion } from "../models/model-version.ts";
import type { RunResult } from "../models/run-request.ts";
import type { RunLimits } from "../models/scheduled-model.ts";
import type { ServeMetrics, ServiceSeries } from "./serve-metrics.ts";

/** Where a request goes: a service and the model version that answers for it. */
/** What chooses between the versions and models of a service; nothing takes the latest of its own model. */
export interface TargetChoice {
  /** Number as asked for. */
  readonly version?: number | undefined;
  /** What its rules may look at; without them none is asked. */
  readonly attributes?: Attributes;
}

export interface Target {
  readonly service: ServiceConfig;
  readonly version: ModelVersion;
  /** Rule that chose the model; undefined when none matched or none was asked. */
  readonly rule?: string | undefined;
}

export type { Priority };
export const PRIORITY_DEFAULT: Priority = 2;

/** What a request brings along besides its tensors, whichever protocol it came by. */
export interface Call {
  /** UUIDv7, from `newPredictionId`: known before the prediction is made, so that a failure has it too. */
  readonly predictionId: string;
  /** When the request came, on `clock.nowMs`. */
  readonly receivedMs: number;
  /** 1 is the most urgent, 2 the default, 3 what may wait. */
  readonly priority: Priority;
  /** Time the client allows; undefined leaves it to the service. */
  readonly timeoutMs: number | undefined;
  /** Cancelled when the client has gone. */
  readonly cancellation: Cancellation | undefined;
  /** Nobody needs the inputs afterwards: their memory may be moved to another thread. */
  readonly isInputOwned?: boolean;
}

export interface Prediction {
  /** UUIDv7. */
  readonly id: string;
  readonly version: ModelVersion;
  /** One per requested output, in that order. */
  readonly outputs: readonly Tensor[];
  /** Waited until its batch left. */
  readonly queueMs: number;
  /** Batch put together, handed over and taken apart. */
  readonly batchMs: number;
  /** The model itself. */
  readonly computeMs: number;
  /** The answer is not what was asked for, but better than none; undefined when it is. */
  readonly degraded: "fallback" | undefined;
}

/** The part of every service that this process serves. */
export interface ProcessShare {
  /** From 0. */
  readonly index: number;
  readonly processes: number;
}

export interface DataPlaneOptions {
  readonly models: Models;
  readonly metrics: ServeMetrics;
  readonly clock: Clock;
  readonly random: RandomBytes;
  /** Limits are divided among the processes that share a port. */
  readonly share: ProcessShare;
}

/** What `auto` aims at when the user set no objective: an answer at the last moment helps nobody. */
const OBJECTIVE_SHARE_OF_TIMEOUT = 0.5;

/**
 * The one place where all protocols meet: names become model versions, deadlines are set, predictions are
 * run, counted and given an id. It knows nothing of HTTP.
 */
export class DataPlane {
  readonly models: Models;
  readonly metrics: ServeMetrics;
  readonly clock: Clock;
  readonly #ids: PredictionIds;
  #services: ReadonlyMap<string, ServiceConfig> = new Map();
  #defaultService: ServiceConfig | undefined;
  /** Metric series by service, then version; weak, so that a released version is forgotten. */
  readonly #series = new Map<string, WeakMap<ModelVersion, ServiceSeries>>();
  #objectiveMs = Infinity;
  readonly #admissions = new Map<string, Admission>();
  readonly #share: ProcessShare;
  #rules: ReadonlyMap<string, RuleSet> = new Map();

  constructor(options: DataPlaneOptions) {
    this.models = options.models;
    this.metrics = options.metrics;
    this.clock = options.clock;
    this.#ids = new PredictionIds(options.random);
    this.#share = options.share;
  }

  /** The rules of a service; undefined when it has none. */
  rulesOf(service: ServiceConfig): RuleSet | undefined {
    return this.#rules.get(service.name);
  }

  /** @param name undefined is the default service. */
  hasRules(name: string | undefined): boolean {
    const service = this.#find(name);
    return service !== undefined && this.#rules.has(service.name);
  }

  /** Replaces the services in one step; the models they name must be there. */
  setServices(services: Readonly<Record<string, ServiceConfig>>): void {
    this.#services = new Map(Object.entries(services));
    this.#defaultService = this.services.find((service) => service.isDefault);
    this.#rules = new Map(
      this.services
        .filter(({ rules }) => rules.length > 0)
        .map(({ name, rules }) => [name, new RuleSet(rules)]),
    );
    for (const name of this.#series.keys())
      if (!this.#services.has(name)) this.#series.delete(name);
    for (const name of this.#admissions.keys())
      if (!this.#services.has(name)) this.#admissions.delete(name);
    this.#objectiveMs = Infinity;
    for (const service of this.services) {
      const objectiveMs = this.#configureAdmission(service);
      this.#objectiveMs = Math.min(this.#objectiveMs, objectiveMs);
    }
  }

  /** Limits that change keep what was learned and who is inside. @returns its latency objective, in milliseconds. */
  #configureAdmission({ name, model, limits, timeoutMs }: ServiceConfig): number {
    const { processes, index } = this.#share;
    const own = divideLimits(limits, processes, index);
    const slo = this.models.names.includes(model) ? this.models.model(model).config.slo : undefined;
    const objectiveMs = slo?.latencyP99Ms ?? OBJECTIVE_SHARE_OF_TIMEOUT * timeoutMs;
    const admission = this.#admissions.get(name);
    if (admission !== undefined) admission.configure(own, objectiveMs);
    else {
      this.#admissions.set(name, new Admission({ clock: this.clock, limits: own, objectiveMs }));
    }
    return objectiveMs;
  }

  /** The limits of a service as they are now in this process; undefined for one that was removed. */
  admission(service: ServiceConfig): Admission | undefined {
    return this.#admissions.get(service.name);
  }

  get services(): ServiceConfig[] {
    return [...this.#services.values()];
  }

  get defaultService(): ServiceConfig | undefined {
    return this.#defaultService;
  }

  /** @throws MODEL_NOT_FOUND */
  service(name: string): ServiceConfig {
    const service = this.#services.get(name);
    if (service !== undefined) return service;
    const names = [...this.#services.keys()].map((known) => `'${known}'`).join(", ");
    throw new MillraceError(
      "MODEL_NOT_FOUND",
      `Request for unknown model: '${name}' is not found, there is ${names === "" ? "none" : names}`,
    );
  }

  newPredictionId(): string {
    return this.#ids.next(this.clock.wallMs());
  }

  /** @throws MODEL_NOT_FOUND, MODEL_NOT_READY. */
  target(service: ServiceConfig, { version, attributes }: TargetChoice = {}): Target {
    const rule = attributes === undefined ? undefined : this.#match(service, attributes);
    const model = rule?.to ?? service.model;
    try {
      const found = this.models.version(model, version);
      return { service, version: found, rule: rule?.name };
    } catch (error) {
      this.#countError(service, { model }, error); // a number a client made up must not become a label
      throw error;
    }
  }

  /** The first rule that matches, counted. */
  #match(service: ServiceConfig, attributes: Attributes): Rule | undefined {
    const rules = this.#rules.get(service.name);
    if (rules === undefined) return undefined;
    const { rule, invalidCount } = rules.match(attributes, this.clock.wallMs());
    this.metrics.countRouted(service.name, rule?.name ?? NO_RULE);
    if (invalidCount > 0) this.metrics.countInvalidAttributes(service.name, invalidCount);
    return rule;
  }

  /** The smallest latency objective of a service, in milliseconds: what the front ends must not use up themselves. */
  get objectiveMs(): number {
    return this.#objectiveMs;
  }

  /**
   * Why a request for this service would be refused, asked in constant time before its body is read. It counts as a
   * refused request; undefined lets it pass, to be judged by what it holds.
   * @param name undefined is the default service.
   */
  refuseEarly(name: string | undefined): string | undefined {
    const service = this.#find(name);
    if (service === undefined || service.overload.kind !== "reject") return undefined;
    const full = this.admission(service)?.refusalReason;
    const reason = full ?? (this.#isTooLate(service) ? "predicted_deadline" : undefined);
    if (reason !== undefined) this.countRefusal(name, reason);
    return reason;
  }

  /** Where rules choose the model, nobody knows it yet. */
  #isTooLate({ name, model, timeoutMs }: ServiceConfig): boolean {
    if (this.#rules.has(name)) return false;
    return this.models.find(model)?.latest?.scheduled.batcher.isTooLate(timeoutMs) ?? false;
  }

  /** May a front end refuse by itself? Not where an overload is answered in another way, nor for unknown names. */
  isRefusable(name: string | undefined): boolean {
    return this.#find(name)?.overload.kind === "reject";
  }

  #find(name: string | undefined): ServiceConfig | undefined {
    return name === undefined ? this.#defaultService : this.#services.get(name);
  }

  /** Counts a request that a front end refused by itself. */
  countRefusal(name: string | undefined, reason: string): void {
    const service = this.#find(name);
    this.metrics.countRejection(reason);
    if (service === undefined) return;
    this.metrics.countError(service.name, service.model, "", "OVERLOADED");
  }

  /**
   * Predicts.
   * @param inputs one per input of the version, checked against it.
   * @throws OVERLOADED, DEADLINE_EXCEEDED, CANCELLED, MODEL_FAILED.
   */
  async infer(
    target: Target,
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    call: Call,
  ): Promise<Prediction> {
    const { service } = target;
    // A body that took long to unpack may have outlasted the version it was read for.
    const { modelName, isClosed } = target.version;
    const version = isClosed ? this.models.version(modelName) : target.version;
    const own = version === target.version ? inputs : checkTensors(inputs, version.inputs);
    const startedMs = this.clock.nowMs();
    const limits: RunLimits = {
      receivedMs: call.receivedMs,
      deadlineAtMs: call.receivedMs + Math.min(service.timeoutMs, call.timeoutMs ?? Infinity),
      priority: call.priority,
      cancellation: call.cancellation,
      isInputOwned: call.isInputOwned ?? false,
    };
    version.hold();
    try {
      const run = (): Promise<RunResult> => version.run(own, outputNames, limits);
      const result = await this.#admitted(service, limits, startedMs, run);
      this.#countAnswer(service, version, this.clock.nowMs() - startedMs, result);
      const degraded = version.fallbackReason === undefined ? undefined : "fallback";
      return { id: call.predictionId, version, ...result, degraded };
    } catch (error) {
      this.#countError(service, { model: version.modelName, version: version.version }, error);
      if (isOverload(error) && service.overload.kind === "fallback") {
        const { model } = service.overload;
        const answer = await this.#fallBack(model, inputs, outputNames, { call, limits, error });
        this.metrics.countFallback(service.name, model, answer.version.version);
        return answer;
      }
      throw error;
    } finally {
      version.release();
    }
  }

  /** Runs what the limits of the service let in. @throws OVERLOADED for what they do not. */
  async #admitted(
    service: ServiceConfig,
    limits: RunLimits,
    nowMs: number,
    run: () => Promise<RunResult>,
  ): Promise<RunResult> {
    const admission = this.admission(service);
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

  /** The answer of the model that stands in; its own queue protects it. @throws the overload when it cannot. */
  async #fallBack(
    model: string,
    inputs: readonly Tensor[],
    outputNames: readonly string[],
    from: { readonly call: Call; readonly limits: RunLimits; readonly error: MillraceError },
  ): Promise<Prediction> {
    const { call, limits, error } = from;
    try {
      const version = this.models.version(model);
      const names = outputNames.map((name) => version.findOutput(name)?.name ?? "");
      const known = names.includes("") ? version.predictionNames : names;
      const result = await version.run(checkTensors(inputs, version.inputs), known, limits);
      return { id: call.predictionId, version, ...result, degraded: "fallback" };
    } catch {
      throw error;
    }
  }

  #countAnswer(
    service: ServiceConfig,
    version: ModelVersion,
    tookMs: number,
    { queueMs, computeMs }: RunResult,
  ): void {
    const series = this.#seriesOf(service, version);
    series.ok.add();
    series.duration.observe(tookMs / 1000);
    series.queue.observe(queueMs / 1000);
    series.compute.observe(computeMs / 1000);
  }

  #seriesOf(service: ServiceConfig, version: ModelVersion): ServiceSeries {
    let byVersion = this.#series.get(service.name);
    if (byVersion === undefined) {
      byVersion = new WeakMap();
      this.#series.set(service.name, byVersion);
    }
    let series = byVersion.get(version);
    if (series === undefined) {
      series = this.metrics.series(service.name, version.modelName, version.version);
      byVersion.set(version, series);
    }
    return series;
  }

  #countError(
    service: ServiceConfig,
    { model, version }: { readonly model: string; readonly version?: number },
    error: unknown,
  ): void {
    const code = error instanceof MillraceError ? error.code : "INTERNAL";
    const label = version === undefined ? "" : String(version);
    this.metrics.countError(service.name, model, label, code);
    if (error instanceof MillraceError && error.reason !== undefined) {
      this.metrics.countRejection(error.reason);
    }
  }
}

function isOverload(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.code === "OVERLOADED";
}
