import type { ShadowConfig } from "../../config/shadow-config.ts";
import type { ByteBudget } from "../../core/batch/byte-budget.ts";
import type { Clock } from "../../core/clock.ts";
import type { Comparison } from "../../core/compare/comparison.ts";
import { MillraceError } from "../../core/errors.ts";
import { messageOf } from "../../core/message-of.ts";
import { Breaker, type BreakerKind, type CallOutcome } from "../../core/overload/breaker.ts";
import { fnv1a } from "../../core/predictions/short-digest.ts";
import { pairResult, type SkipReason } from "../../core/shadow/shadow-pair.ts";
import type { Predictor, PredictorResult } from "../../models/predictor.ts";
import type { OpenComparator } from "../../ports/comparator-source.ts";
import type { PredictionLog } from "../prediction-log.ts";
import type { ServeMetrics } from "../serve-metrics.ts";
import { askedOfShadow, comparedPair, inputsOfShadow } from "./asked-of-shadow.ts";
import type { CopiedRequest } from "./copied-request.ts";
import type { LoopTurns } from "./loop-turns.ts";
import type { RecentShadowPairs } from "./recent-shadow-pairs.ts";
import { shadowComparator, type ShadowComparator } from "./shadow-comparator.ts";
import type { ShadowSeries, ShadowUsage } from "./shadow-metrics.ts";
import { explainedShadow, shadowOutcome, type Failure, type ShadowPair } from "./shadow-outcome.ts";
import { ShadowPool, type CopyLimits } from "./shadow-pool.ts";

/** What happens to shadows, for the log. Must not throw. */
export interface ShadowEvents {
  /** It takes other inputs than what answers. Told once for each version of it. */
  unfit(service: string, shadow: string, model: string, why: string): void;
  /** Something went wrong that is none of the shadow's own errors, such as a comparison that cannot be loaded. */
  failed(service: string, shadow: string, error: unknown): void;
  breakerMoved(service: string, shadow: string, from: BreakerKind, to: BreakerKind): void;
}

export interface ShadowParts {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly turns: LoopTurns;
  /** Memory of all copies of the process. */
  readonly budget: ByteBudget;
  readonly log: PredictionLog | undefined;
  readonly metrics: ServeMetrics;
  readonly events: ShadowEvents;
  readonly recent: RecentShadowPairs;
  readonly openComparator: OpenComparator | undefined;
  /** What answers for a service or a model. @throws MODEL_NOT_FOUND, MODEL_NOT_READY. */
  readonly predictor: (name: string) => Predictor;
}

/** Copies wait so long for company, in milliseconds. */
const GATHER_MS = 20;

/** A copy waits and takes at most so long, whatever what answers takes. */
const TIMEOUT_MS_MAX = 10_000;

/** A copy may take that in any case: the time protects places, and a slow shadow is told by its latency. */
const TIMEOUT_MS_MIN = 1_000;

/** Times the 99th percentile of what answers. */
const TIMEOUT_FACTOR = 2;

/** Who waits for an answer goes first. */
const PRIORITY = 3;

/** 2^32 */
const HASHES = 0x1_0000_0000;

/**
 * Errors by which a shadow is left alone for a while: those that cost time, threads or another server's patience. What
 * fails at once is asked on, so that a verdict soon has enough of it.
 */
const TROUBLE: ReadonlySet<string> = new Set([
  "DEADLINE_EXCEEDED",
  "EXECUTOR_LOST",
  "INTERNAL",
  "REMOTE_FAILED",
]);

/** Reasons of FUNCTION_FAILED that cost a thread. */
const LOST_THREAD: ReadonlySet<string> = new Set(["timeout", "crash", "memory"]);

/** One shadow of a service: which requests it gets, what it makes of them, and what becomes of that. */
export class ServiceShadow {
  readonly #service: string;
  readonly #parts: ShadowParts;
  readonly #pool: ShadowPool<CopiedRequest>;
  readonly #breaker: Breaker;
  readonly #series: ShadowSeries;
  readonly #seed: number;
  readonly #comparator: ShadowComparator;
  #config: ShadowConfig;
  /** Of what answers; 0 while nothing is known. */
  #answerP99Ms = 0;
  /** Version of it that takes other inputs, as it was told. */
  #unfit: Predictor | undefined;

  constructor(service: string, config: ShadowConfig, parts: ShadowParts) {
    const { clock, random, budget, turns, metrics, events, openComparator } = parts;
    this.#service = service;
    this.#config = config;
    this.#parts = parts;
    this.#seed = fnv1a(config.name);
    this.#series = metrics.shadows.seriesOf(service, config.name);
    this.#comparator = shadowComparator(config.compare, openComparator, (error) =>
      events.failed(service, config.name, error),
    );
    this.#breaker = new Breaker({
      clock,
      random,
      onTransition: (from, to) => events.breakerMoved(service, config.name, from, to),
    });
    this.#pool = new ShadowPool({
      clock,
      limits: config,
      budget,
      turns,
      gatherMs: GATHER_MS,
      timeoutMs: () => this.#timeoutMs,
      run: (copied, limits) => this.#run(copied, limits),
      skipped: (reason) => this.skip(reason),
    });
  }

  get config(): ShadowConfig {
    return this.#config;
  }

  get usage(): ShadowUsage {
    const { runningCount, waitingCount } = this.#pool;
    const shadow = this.#config.name;
    return { service: this.#service, shadow, running: runningCount, waiting: waitingCount };
  }

  /** What else it runs or compares by makes it another one; all that is live is only a limit. */
  configure(config: ShadowConfig): void {
    this.#config = config;
    this.#pool.configure(config);
  }

  /** Is the request in the share that is copied? The same ids in every process, and others for each shadow. */
  isChosen(predictionId: string): boolean {
    const { share } = this.#config;
    return share >= 1 || fnv1a(predictionId, this.#seed) / HASHES < share;
  }

  skip(reason: SkipReason): void {
    this.#series.skipped[reason].add();
  }

  /** @param answerP99Ms 99th percentile of what answers; 0 while nothing is known. */
  offer(copied: CopiedRequest, answerP99Ms: number): void {
    this.#answerP99Ms = answerP99Ms;
    this.#pool.offer(copied, copied.bytes);
  }

  close(): void {
    this.#pool.close();
    this.#comparator.close();
  }

  get #timeoutMs(): number {
    const { timeoutMs } = this.#config;
    if (timeoutMs !== undefined) return timeoutMs;
    if (this.#answerP99Ms === 0) return TIMEOUT_MS_MAX;
    const likelyMs = Math.max(TIMEOUT_MS_MIN, TIMEOUT_FACTOR * this.#answerP99Ms);
    return Math.min(TIMEOUT_MS_MAX, likelyMs);
  }

  /** Never rejects: what a shadow does is nobody's error. */
  async #run(copied: CopiedRequest, limits: CopyLimits): Promise<void> {
    try {
      const predictor = this.#predictor();
      if (predictor === undefined) return this.skip("inactive");
      const permit = this.#breaker.tryAcquire();
      if (permit.kind === "refused") return this.skip("breaker");
      const result = await this.#predict(copied, predictor, limits);
      const tookMs = this.#parts.clock.nowMs() - limits.startedMs;
      this.#breaker.record(permit, callOutcome(result), tookMs);
      const reason = skipReason(result);
      if (reason !== undefined) return this.skip(reason);
      await this.#parts.turns.turn();
      const comparison = await this.#compare(copied, predictor, result);
      this.#report({ copied, shadow: this.#config.name, predictor, result, comparison, tookMs });
    } catch (error) {
      this.skip("inactive");
      this.#parts.events.failed(this.#service, this.#config.name, error);
    }
  }

  #predictor(): Predictor | undefined {
    try {
      return this.#parts.predictor(this.#config.to);
    } catch {
      return undefined;
    }
  }

  async #predict(
    { job, call }: CopiedRequest,
    predictor: Predictor,
    { startedMs, deadlineAtMs, cancellation }: CopyLimits,
  ): Promise<PredictorResult | Failure> {
    const limits = {
      receivedMs: startedMs,
      deadlineAtMs,
      priority: PRIORITY,
      cancellation,
      isInputOwned: false,
      isOnce: true,
    } as const;
    predictor.hold();
    try {
      const { names } = askedOfShadow(job, predictor);
      const inputs = inputsOfShadow(job.inputs, predictor);
      return await predictor.run(inputs, names, limits, call);
    } catch (error) {
      return { error };
    } finally {
      predictor.release();
    }
  }

  /** @returns undefined unless both answered. */
  #compare(
    { job, record, prediction }: CopiedRequest,
    shadow: Predictor,
    result: PredictorResult | Failure,
  ): Comparison | Promise<Comparison> | undefined {
    if (prediction === undefined || "error" in result) return undefined;
    const { rowCount } = record;
    const asked = askedOfShadow(job, shadow);
    const outputs = { answerOutputs: prediction.outputs, shadowOutputs: result.outputs };
    const pair = comparedPair({ job, asked, shadow, rowCount, ...outputs });
    return this.#comparator.compare(pair, job.predictor);
  }

  #report(pair: ShadowPair): void {
    const { copied, predictor, result, comparison, tookMs } = pair;
    const { metrics, log, recent } = this.#parts;
    const isOk = !("error" in result);
    const kind = pairResult(copied.record.code === "ok", isOk, comparison?.isAgreed);
    this.#series.pairs[kind].add();
    this.#series.duration.observe(tookMs / 1000);
    const outcome = shadowOutcome(pair);
    const { modelName, version } = predictor;
    metrics.countShadow(this.#service, modelName, version, outcome.record.code);
    if (!isOk) this.#tellUnfit(pair);
    recent.add(copied.record.id, explainedShadow(pair, outcome));
    log?.add(outcome);
  }

  #tellUnfit({ predictor, result }: ShadowPair): void {
    const error = "error" in result ? result.error : undefined;
    const isUnfit = error instanceof MillraceError && error.code === "INVALID_TENSOR";
    if (!isUnfit || this.#unfit === predictor) return;
    this.#unfit = predictor;
    const { events } = this.#parts;
    events.unfit(this.#service, this.#config.name, predictor.id, messageOf(error));
  }
}

function callOutcome(result: PredictorResult | Failure): CallOutcome {
  if (!("error" in result)) return "ok";
  const { error } = result;
  if (!(error instanceof MillraceError)) return "failed";
  return TROUBLE.has(error.code) || LOST_THREAD.has(error.reason ?? "") ? "failed" : "ignored";
}

/** Our own refusals say nothing about the shadow. */
function skipReason(result: PredictorResult | Failure): SkipReason | undefined {
  if (!("error" in result) || !(result.error instanceof MillraceError)) return undefined;
  const { code, reason } = result.error;
  if (code === "OVERLOADED") return reason === "breaker" ? "breaker" : "queue";
  return code === "CANCELLED" || code === "MODEL_NOT_READY" ? "inactive" : undefined;
}
