import type { ServiceConfig } from "../config/config.ts";
import type { Cancellation } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import type { StepRequest } from "../core/graph/step.ts";
import type { Degradation } from "../core/graph/step-outcome.ts";
import type { AdmittedOutcome } from "../core/overload/admission.ts";
import { checkTensors } from "../core/tensor/check-tensors.ts";
import { fitsSpecs } from "../core/tensor/fits-specs.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { Predictor, PredictorResult } from "../models/predictor.ts";
import type { RunLimits } from "../models/scheduled-model.ts";
import { modelsThatRan, type Call, type Prediction } from "./prediction.ts";
import type { PredictionCounts } from "./prediction-counts.ts";
import type { CacheAnswer } from "./prediction-cache.ts";
import type { ServeMetrics } from "./serve-metrics.ts";
import type { ServiceCache, ServiceCaches } from "./service-caches.ts";
import type { Services } from "./services.ts";

/** A prediction that is being made. */
export interface Job {
  readonly service: ServiceConfig;
  readonly predictor: Predictor;
  readonly inputs: readonly Tensor[];
  readonly outputNames: readonly string[];
  readonly limits: RunLimits;
  readonly call: Call;
  readonly startedMs: number;
}

/** What goes wrong behind an answer that was given nevertheless, for the log. Must not throw. */
export interface PredictionEvents {
  degraded(service: string, request: StepRequest, degradation: Degradation): void;
}

/** What a cache gave, be it that another request has just made it. */
type FoundPrediction = Omit<CacheAnswer<Prediction>, "cache"> & {
  readonly cache: "hit" | "miss" | "stale";
};

export interface AnswersOptions {
  readonly services: Services;
  readonly caches: ServiceCaches;
  readonly metrics: ServeMetrics;
  readonly counts: PredictionCounts;
  readonly events: PredictionEvents;
  readonly clock: Clock;
  /** What answers for a service or a model. @throws MODEL_NOT_FOUND, MODEL_NOT_READY. */
  readonly predictor: (name: string) => Predictor;
}

const NOTHING: readonly never[] = [];

/** How a request is answered: from the cache, by what its service runs, or by what stands in for that. */
export class Answers {
  readonly #options: AnswersOptions;

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** From the cache, from what answers for the service, or from what stands in for it. */
  async answer(job: Job): Promise<Prediction> {
    const { service, predictor } = job;
    try {
      if (!service.parameters.isActive) return await this.#answerDeactivated(job);
      const cache = this.#options.caches.predictionCacheOf(service.name);
      if (cache === undefined) return await this.#predict(job);
      return await this.#answerCached(job, cache);
    } catch (error) {
      const { modelName, version } = predictor;
      this.#options.counts.failed(service.name, modelName, String(version), error);
      if (!isOverload(error)) throw error;
      job.call.isAdmitted = false; // its model has not let it in
      return this.#answerOverloaded(job, error);
    }
  }

  /** What is looked up elsewhere takes a while, in which what would run must not be freed. */
  async #answerCached(job: Job, cache: ServiceCache): Promise<Prediction> {
    const { predictor, inputs, outputNames, limits } = job;
    const key = cache.keyOf(predictor, inputs, outputNames);
    const run = (cancellation: Cancellation): Promise<Prediction> =>
      this.#predict(shared(job, cancellation));
    predictor.hold();
    try {
      const found = cache.answer(key, run, limits);
      if (!(found instanceof Promise)) return this.#cached(job, found);
      const answer = await found;
      const isUsable = answer.result !== undefined || isOf(job, answer.outputs);
      return isUsable ? this.#cached(job, answer) : await this.#predict(job);
    } finally {
      predictor.release();
    }
  }

  #cached(job: Job, found: FoundPrediction): Prediction {
    const { call, predictor, service } = job;
    const { cache, outputs, result, madeBy } = found;
    if (cache === "miss" && result !== undefined) return { ...result, cache };
    const facts = result ?? answeredBy(predictor, madeBy);
    const prediction = { ...facts, id: call.predictionId, outputs, cache, queueMs: 0, batchMs: 0 };
    this.#options.counts.answeredFromCache(
      service.name,
      predictor,
      this.#options.clock.nowMs() - job.startedMs,
    );
    return { ...prediction, computeMs: 0, trace: undefined };
  }

  /** Lets what answers run, when the limits of the service let it in. */
  async #predict(job: Job): Promise<Prediction> {
    const { service, predictor, inputs, outputNames, limits, call } = job;
    predictor.hold();
    try {
      const result = await this.#admitted(service, limits, job.startedMs, () => {
        if (service.shadows.length > 0) call.isAdmitted = true;
        return predictor.run(inputs, outputNames, limits, call);
      });
      this.#options.counts.answered(
        service.name,
        predictor,
        this.#options.clock.nowMs() - job.startedMs,
        result,
      );
      return this.#predictionOf(job, result);
    } finally {
      const { trace } = call;
      if (trace !== undefined) this.#options.counts.steps(service.name, trace);
      predictor.release();
    }
  }

  #predictionOf({ service, predictor, call }: Job, result: PredictorResult): Prediction {
    const { graph, outputs, queueMs, batchMs, computeMs } = result;
    const degradations = graph?.degraded ?? NOTHING;
    for (const one of degradations) this.#options.events.degraded(service.name, call, one);
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
    const admission = this.#options.services.admissionOf(service.name);
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
      admission.release(this.#options.clock.nowMs() - limits.receivedMs, outcome);
    }
  }

  /** What a service answers whose `activate` is off. @throws DEACTIVATED unless something stands in. */
  async #answerDeactivated(job: Job): Promise<Prediction> {
    const { service } = job;
    const { deactivated } = service.parameters;
    const off = deactivatedError(service.name);
    if (typeof deactivated === "object") return this.#standIn(deactivated.fallback, job, off);
    // Its prediction is remembered and nobody's answer.
    if (deactivated === "observe") await this.#observe(job);
    throw off;
  }

  /** Predicts for the record; that it fails there is nobody's error. */
  async #observe(job: Job): Promise<void> {
    try {
      job.call.observed = (await this.#predict(job)).outputs;
    } catch {
      // What a graph was at is in its trace.
    }
  }

  /** What a request gets that the limits do not let in. @throws the overload where nothing stands in. */
  async #answerOverloaded(job: Job, error: MillraceError): Promise<Prediction> {
    const { service, predictor } = job;
    const { overload } = service;
    if (overload.kind === "fallback") {
      return this.#standIn(overload.model, job, error);
    }
    const cache = this.#options.caches.predictionCacheOf(service.name);
    if (overload.kind !== "cached" || cache === undefined) throw error;
    const old = await cache.stale(cache.keyOf(predictor, job.inputs, job.outputNames));
    if (old === undefined || !isOf(job, old.outputs)) throw error;
    return {
      ...this.#cached(job, { ...old, cache: "stale", result: undefined }),
      degraded: "cached",
    };
  }

  /** The answer of what stands in; its own queue protects it. @throws `error` when it cannot. */
  async #standIn(name: string, job: Job, error: MillraceError): Promise<Prediction> {
    try {
      const predictor = this.#options.predictor(name);
      const names = job.outputNames.map((output) => predictor.findOutput(output)?.name ?? "");
      const known = names.includes("") ? predictor.predictionNames : names;
      const inputs = checkTensors(job.inputs, predictor.inputs);
      const instead = { ...job, predictor, inputs, outputNames: known };
      predictor.hold();
      try {
        const result = await predictor.run(inputs, known, job.limits, job.call);
        this.#options.metrics.countFallback(job.service.name, name, predictor.version);
        return { ...this.#predictionOf(instead, result), degraded: "fallback" };
      } finally {
        predictor.release();
      }
    } catch {
      throw error;
    }
  }
}

/** Is it what the job asks for? Others may have written what a cache outside of this process has. */
function isOf({ predictor, outputNames }: Job, outputs: readonly Tensor[]): boolean {
  const specs = outputNames.map((name) => predictor.findOutput(name));
  return specs.every((spec) => spec !== undefined) && fitsSpecs(outputs, specs);
}

/** The same for all who wait for it: their own cancellation and memory are not the run's. */
function shared(job: Job, cancellation: Cancellation): Job {
  return { ...job, limits: { ...job.limits, cancellation, isInputOwned: false } };
}

function answeredBy(
  predictor: Predictor,
  madeBy: string | undefined,
): Omit<Prediction, "id" | "outputs" | "cache"> {
  return {
    predictor,
    model: madeBy ?? predictor.id,
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

function deactivatedError(service: string): MillraceError {
  return MillraceError.withoutStack(
    "DEACTIVATED",
    `Cannot predict: service "${service}" is deactivated, services.${service}.parameters.activate is off`,
  );
}
