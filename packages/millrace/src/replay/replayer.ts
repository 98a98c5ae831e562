import type { Comparator } from "../core/compare/comparison.ts";
import { MillraceError } from "../core/errors.ts";
import { messageOf } from "../core/message-of.ts";
import type { DataPlane, Target } from "../serve/data-plane.ts";
import { PRIORITY_DEFAULT, type Prediction } from "../serve/prediction.ts";
import { Counts } from "./counts.ts";
import { isWhole } from "./group-rows.ts";
import type { LoggedRequest } from "./logged-request.ts";
import type { TrafficKind } from "./logged-traffic.ts";
import { Pace } from "./pace.ts";
import { Places } from "./places.ts";
import { rebuildInputs, type InputNames } from "./rebuild-inputs.ts";
import type { ReplayReport } from "./replay-report.ts";
import { ReplayTally, type ReplayOutcome } from "./replay-tally.ts";
import { askedOutputs } from "./asked-outputs.ts";
import { candidatePredictions, type AskedRequest } from "./candidate-predictions.ts";

export interface ReplayerOptions {
  /** Of a role that has the candidate and logs nothing. */
  readonly plane: DataPlane;
  readonly target: Target;
  readonly names: InputNames;
  readonly compare: Comparator;
  /** 1 is the pace at which requests came; `max` goes as fast as `concurrency` allows. */
  readonly speed: number | "max";
  /** Requests under way at a time, at least 1: those that are due have to wait beyond it. */
  readonly concurrency: number;
  /** Requests that are replayed at most. */
  readonly limit: number;
  readonly signal: AbortSignal;
  /** Called for every request that was read. */
  readonly onRequest: (readCount: number) => void;
}

export type Replayed = Omit<
  ReplayReport,
  "service" | "candidate" | "from" | "until" | "speed" | "compare"
>;

/** Times the first request is predicted before it counts, and the longest time for that. */
const WARM_UP_RUNS = 20;
const WARM_UP_MS = 1000;

/** Sends logged requests to a candidate and compares what it says with what was said. For one run. */
export class Replayer {
  readonly #options: ReplayerOptions;
  readonly #tally: ReplayTally;
  readonly #places: Places;
  readonly #pace: Pace | undefined;
  readonly #skipped = new Counts();
  #startMs = 0;
  #sent = 0;
  #firstUs = 0;
  #lastUs = 0;

  constructor(options: ReplayerOptions) {
    this.#options = options;
    this.#tally = new ReplayTally(options.compare);
    this.#places = new Places(options.concurrency);
    const { clock } = options.plane;
    this.#pace = options.speed === "max" ? undefined : new Pace(clock, options.speed);
  }

  /** @param kinds what there is, of which `requests` are those that can be replayed. */
  async run(
    requests: AsyncIterable<LoggedRequest>,
    kinds: readonly TrafficKind[],
  ): Promise<Replayed> {
    const { plane, signal } = this.#options;
    for (const { skipped, requests: count } of kinds) {
      if (skipped !== undefined && count > 0) this.#skipped.add(skipped, count);
    }
    const found = kinds.reduce((sum, kind) => sum + kind.requests, 0);
    this.#startMs = plane.clock.nowMs();
    const isLimited = await this.#sendAll(requests);
    await this.#places.empty();
    const tookMs = plane.clock.nowMs() - this.#startMs;
    return {
      end: signal.aborted ? "interrupted" : isLimited ? "limit" : "complete",
      tookMs,
      requests: { found, replayed: this.#sent, skipped: this.#skipped.list() },
      rate: this.#rate(tookMs),
      ...this.#tally.report(),
    };
  }

  /** @returns whether the limit ended it. */
  async #sendAll(requests: AsyncIterable<LoggedRequest>): Promise<boolean> {
    const { limit, signal } = this.#options;
    let readCount = 0;
    try {
      for await (const request of requests) {
        if (signal.aborted) return false;
        this.#options.onRequest(++readCount);
        await this.#replay(request);
        if (this.#sent >= limit) return true;
      }
      return false;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  async #replay(request: LoggedRequest): Promise<void> {
    const asked = this.#ask(request);
    if ("reason" in asked) this.#skipped.add(asked.reason);
    else await this.#send(asked);
  }

  #ask(request: LoggedRequest): AskedRequest | { readonly reason: string } {
    const { names, target } = this.#options;
    if (!isWhole(request)) return { reason: "not all of its rows were logged" };
    const rebuilt = rebuildInputs(request, names);
    if (rebuilt.kind === "skipped") return rebuilt;
    const outputs = askedOutputs(request, target.predictor);
    if ("reason" in outputs) return outputs;
    return { request, inputs: rebuilt.inputs, names: outputs.names };
  }

  /** Waits until it may go, not until it is answered. */
  async #send(asked: AskedRequest): Promise<void> {
    const { signal } = this.#options;
    const [{ receivedUs }] = asked.request.rows;
    if (this.#sent === 0) await this.#warmUp(asked);
    await this.#pace?.wait(receivedUs, signal);
    await this.#places.take();
    if (signal.aborted) return this.#places.giveBack();
    if (this.#sent++ === 0) this.#firstUs = receivedUs;
    this.#lastUs = receivedUs;
    this.#pace?.sent(receivedUs);
    void this.#predict(asked)
      .then((outcome) => this.#tally.add(asked.request, outcome))
      .finally(() => this.#places.giveBack());
  }

  /** The first runs take longer, which says nothing of the candidate: they come before time is measured. */
  async #warmUp(asked: AskedRequest): Promise<void> {
    const { clock } = this.#options.plane;
    const untilMs = clock.nowMs() + WARM_UP_MS;
    try {
      for (let i = 0; i < WARM_UP_RUNS && clock.nowMs() < untilMs; i++) await this.#infer(asked);
    } catch {
      // It fails again when it counts.
    }
    this.#startMs = clock.nowMs();
  }

  async #predict(asked: AskedRequest): Promise<ReplayOutcome> {
    const { clock } = this.#options.plane;
    const startMs = clock.nowMs();
    try {
      const prediction = await this.#infer(asked);
      const totalUs = (clock.nowMs() - startMs) * 1000;
      const predictions = candidatePredictions(prediction, asked);
      return { kind: "answered", predictions, inferUs: prediction.computeMs * 1000, totalUs };
    } catch (error) {
      const code = error instanceof MillraceError ? error.code : "INTERNAL";
      return { kind: "failed", code, message: messageOf(error) };
    }
  }

  #infer({ inputs, names }: AskedRequest): Promise<Prediction> {
    const { plane, target } = this.#options;
    return plane.infer(target, inputs, names, {
      predictionId: plane.newPredictionId(),
      endpoint: "replay",
      requestId: undefined,
      attributes: undefined,
      receivedMs: plane.clock.nowMs(),
      priority: PRIORITY_DEFAULT,
      timeoutMs: undefined,
      cancellation: undefined,
    });
  }

  #rate(tookMs: number): Replayed["rate"] {
    const { speed } = this.#options;
    const loggedSeconds = (this.#lastUs - this.#firstUs) / 1e6;
    // Between n requests lie n − 1 times.
    const logged = loggedSeconds > 0 ? (this.#sent - 1) / loggedSeconds : undefined;
    return {
      logged,
      offered: speed === "max" || logged === undefined ? undefined : logged * speed,
      reached: tookMs > 0 && this.#sent > 0 ? this.#sent / (tookMs / 1000) : undefined,
      lateMsMax: this.#pace?.lateMsMax,
    };
  }
}
