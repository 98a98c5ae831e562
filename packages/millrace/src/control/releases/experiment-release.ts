import type { ExperimentAnalysis } from "../../core/experiment/experiment-report.ts";
import { keptDecision } from "../../core/experiment/kept-decision.ts";
import { messageOf } from "../../core/message-of.ts";
import { OneAtATime } from "../../core/one-at-a-time.ts";
import { commandRamp } from "../../core/release/command-ramp.ts";
import { describeMove } from "../../core/release/describe-move.ts";
import { nextRamp } from "../../core/release/next-ramp.ts";
import { effectOf } from "../../core/release/ramp-effect.ts";
import { isSilent, type RampLook } from "../../core/release/ramp-look.ts";
import type { RampCommand, RampEffect, RampState } from "../../core/release/ramp-state.ts";
import type { ExperimentStatus, ReleaseEvent } from "../../core/release/release-report.ts";
import { wordsOfMs } from "../../core/release/words-of-ms.ts";
import { RAMP, type MadeEffect } from "./effect-change.ts";
import { isExposed, nameOfDecision, numbersOf } from "./experiment-numbers.ts";
import { beginning, fitState, planOf, type ExperimentState } from "./experiment-state.ts";
import { followEffect, type EffectOutcome } from "./follow-effect.ts";
import { isUnwritten } from "./is-unwritten.ts";
import { missingParts } from "./missing-parts.ts";
import {
  EVENTS_SHOWN_MAX,
  NO_LOG,
  ORDERS_WAITING_MAX,
  type ReleaseOrder,
  type ReleaseParts,
} from "./release-parts.ts";
import { ReleaseRecord } from "./release-record.ts";
import type { ReportedExperiment } from "./traffic-report.ts";

/** An experiment as it is now. */
export interface ExperimentFacts {
  readonly reported: ReportedExperiment;
  readonly phase: number;
  readonly unready: Readonly<Record<string, string>>;
  /** Of the overrides that are in `reported`. */
  readonly overrideVersion: number;
  /** Shadows that have not passed and have to, in words. */
  readonly missingToStart: readonly string[];
  /** It was not there yet then: evidence of a new one begins here. Milliseconds since 1970-01-01 UTC. */
  readonly beganMs: number;
}

/**
 * One experiment: what is known of it, where its ramp is, and that the live keys say so. The state is kept before the
 * live keys follow, and they are brought to it at every look: whoever is killed when, both agree one look later.
 */
export class ExperimentRelease {
  readonly #parts: ReleaseParts;
  readonly #record: ReleaseRecord<ExperimentState>;
  readonly #turns = new OneAtATime(ORDERS_WAITING_MAX);
  #facts: ExperimentFacts;
  #analysisProblem: string | undefined;
  #effectProblem: string | undefined;

  constructor(facts: ExperimentFacts, parts: ReleaseParts) {
    const { service, config } = facts.reported;
    this.#facts = facts;
    this.#parts = parts;
    this.#record = new ReleaseRecord(`experiment/${service}/${config.name}`, parts.store);
  }

  get everyMs(): number {
    return this.#facts.reported.config.analysis.everyMs;
  }

  /** Takes up what has changed, and brings the live keys to the state. */
  async sync(facts: ExperimentFacts): Promise<void> {
    this.#facts = facts;
    try {
      await this.#turns.run(async () => {
        const state = await this.#fitted();
        const { kind } = state.ramp;
        // What may start does not wait for the next look at the numbers.
        if (kind === "pending" || kind === "ready") await this.#advance(state, undefined);
        await this.#reconcile();
      });
    } catch (error) {
      this.#tellProblem(`its state cannot be kept, tried again: ${messageOf(error)}`, error);
    }
  }

  /** Asks the log, and goes on with what it says. */
  async look(signal: AbortSignal): Promise<void> {
    const before = await this.#record.read();
    if (before === undefined || !isExposed(before.ramp)) return;
    const analysis = await this.#analyse(before, signal);
    await this.#turns.run(async () => {
      const state = await this.#record.read();
      // Numbers of other evidence than what counts by now say nothing.
      if (state?.phase !== before.phase || state.sinceMs !== before.sinceMs) return;
      if (isExposed(state.ramp)) await this.#advance(state, analysis);
      await this.#reconcile();
    });
  }

  /** @throws INVALID_TRANSITION when it is not possible now. */
  async command(command: RampCommand, { by, reason }: ReleaseOrder): Promise<void> {
    await this.#turns.run(async () => {
      const state = await this.#fitted();
      const { phase } = state;
      const plan = planOf(this.#config);
      const nowMs = this.#nowMs;
      const why = `${command} by ${by}${reason === "" ? "" : `: ${reason}`}`;
      const ramp = commandRamp(state.ramp, plan, { command, why, nowMs });
      const move = describeMove(state.ramp, ramp, plan);
      const events = move === undefined ? [] : [this.#event(move.what, reason || move.why, by)];
      const isAnew = command === "retry";
      const kept = isAnew ? beginning(this.#config, { phase, sinceMs: nowMs }, why) : state;
      // Whoever had the keys gives them back with it.
      await this.#write({ ...kept, ramp, made: undefined, takenBy: undefined }, events);
      await this.#reconcile();
    });
  }

  async status(): Promise<ExperimentStatus> {
    const { reported, phase } = this.#facts;
    const { service, config } = reported;
    const { name, arms, control, coverage, isActive, winner, ramp } = config;
    const state = await this.#record.read();
    return {
      name,
      service,
      phase,
      arms,
      control,
      coverage,
      isActive,
      winner,
      ramp:
        ramp === undefined || state === undefined
          ? undefined
          : { state: state.ramp, steps: ramp.steps },
      analysis: state?.analysis,
      decided: state?.decided,
      problem: this.#problemOf(state),
      events: await this.#record.events(EVENTS_SHOWN_MAX),
    };
  }

  get #config(): ReportedExperiment["config"] {
    return this.#facts.reported.config;
  }

  get #nowMs(): number {
    return this.#parts.clock.wallMs();
  }

  #problemOf(state: ExperimentState | undefined): string | undefined {
    const problems = [this.#effectProblem, state?.takenBy, this.#analysisProblem];
    const all = problems.filter((problem) => problem !== undefined);
    return all.length === 0 ? undefined : all.join("; ");
  }

  /** The state for the phase and the steps there are now; a new phase begins anew. */
  async #fitted(): Promise<ExperimentState> {
    const { phase, beganMs } = this.#facts;
    const before = await this.#record.read();
    if (before?.phase === phase) {
      const fitted = fitState(before, this.#config, this.#nowMs);
      if (fitted !== before) {
        await this.#write(fitted, [this.#event("steps changed", "the file has others")]);
      }
      return fitted;
    }
    const isNew = before === undefined;
    const why = isNew ? "it begins" : "arms, weights, salt or namespace have changed";
    const anew = beginning(this.#config, { phase, sinceMs: beganMs }, why);
    // The keys that the ramp has set for the phase before are its own.
    const state = { ...anew, made: before?.made };
    await this.#write(state, [this.#event(`phase ${phase}`, why)]);
    return state;
  }

  async #analyse(
    { phase, sinceMs, analysis: before, decided }: ExperimentState,
    signal: AbortSignal,
  ): Promise<ExperimentAnalysis | undefined> {
    const { service, config } = this.#facts.reported;
    const { analyses } = this.#parts;
    try {
      if (analyses === undefined) throw new Error(NO_LOG);
      const order = { service, config, phase, sinceMs, untilMs: this.#nowMs };
      const analysis = await analyses.experiment(order, signal);
      this.#analysisProblem = undefined;
      const { method } = config.analysis;
      const decision = keptDecision(method, decided?.decision, analysis.decision);
      return { ...analysis, decision };
    } catch (error) {
      const problem = `no newer numbers: ${messageOf(error)}`;
      const isTold = problem === this.#analysisProblem || isUnwritten(error, before);
      if (!isTold) this.#warn(problem, error);
      this.#analysisProblem = problem;
      return undefined;
    }
  }

  /** One look: at most one step further. @param analysis undefined when the log was not asked, or did not answer. */
  async #advance(state: ExperimentState, analysis: ExperimentAnalysis | undefined): Promise<void> {
    const look = this.#lookAt(state, analysis);
    const next = nextRamp(state.ramp, look);
    const isHeld = state.takenBy !== undefined && next.kind !== "rolled_back";
    const ramp = isHeld ? state.ramp : next;
    const move = describeMove(state.ramp, ramp, look.plan);
    const events = [
      ...this.#decisionEvents(state, analysis),
      ...this.#silenceEvents(state, look),
      ...(move === undefined ? [] : [this.#event(move.what, move.why)]),
    ];
    if (ramp === state.ramp && analysis === undefined && events.length === 0) return;
    const isDecided = analysis !== undefined && isNews(analysis, state.decided);
    // Rolling back takes the keys, whoever has them.
    const isEnd = ramp.kind === "rolled_back" && state.ramp.kind !== "rolled_back";
    await this.#write(
      {
        ...state,
        ramp,
        analysis: analysis ?? state.analysis,
        decided: isDecided ? analysis : state.decided,
        made: isEnd ? undefined : state.made,
        takenBy: isEnd ? undefined : state.takenBy,
        isSilent: isSilent(state.ramp, look),
      },
      events,
    );
  }

  #lookAt(state: ExperimentState, analysis: ExperimentAnalysis | undefined): RampLook {
    const { reported, unready, missingToStart } = this.#facts;
    const missing = missingParts(reported, unready, (analysis ?? state.analysis)?.arms ?? []);
    const numbers = analysis && numbersOf(analysis);
    return {
      plan: planOf(this.#config),
      observation: { missing, missingToStart, numbers },
      nowMs: this.#nowMs,
    };
  }

  #decisionEvents(
    { decided }: ExperimentState,
    analysis: ExperimentAnalysis | undefined,
  ): readonly ReleaseEvent[] {
    if (analysis === undefined || analysis.decision.kind === "keep_running") return [];
    const what = nameOfDecision(analysis.decision);
    if (decided !== undefined && nameOfDecision(decided.decision) === what) return [];
    return [this.#event(what, analysis.decision.why)];
  }

  #silenceEvents(state: ExperimentState, look: RampLook): readonly ReleaseEvent[] {
    if (state.isSilent || !isSilent(state.ramp, look)) return [];
    const why = `no prediction of the experiment for ${wordsOfMs(look.plan.graceMs)}`;
    this.#warn(why);
    return [this.#event("no data", why)];
  }

  /** Brings the live keys to the state; what fails is tried again at the next look. */
  async #reconcile(): Promise<void> {
    const { overrideVersion, reported } = this.#facts;
    const state = await this.#record.read();
    if (state === undefined) return;
    const wanted = {
      reported,
      overrideVersion,
      effect: this.#effectOf(state),
      made: state.made,
      isTaken: state.takenBy !== undefined,
      reason: this.#reasonOf(state.ramp),
    };
    try {
      const outcome = await followEffect(wanted, this.#parts.changes);
      if (outcome.kind === "made") await this.#keepMade(state, outcome.made);
      if (outcome.kind === "taken") await this.#giveWay(state, outcome);
      this.#effectProblem = undefined;
    } catch (error) {
      const why = messageOf(error);
      this.#tellProblem(`the live keys are not as the ramp wants them, tried again: ${why}`, error);
    }
  }

  /** Told once, and shown as long as it lasts. */
  #tellProblem(problem: string, error: unknown): void {
    if (problem !== this.#effectProblem) this.#warn(problem, error);
    this.#effectProblem = problem;
  }

  /** What the live keys are to be; what is not named is the file's. */
  #effectOf({ ramp }: ExperimentState): Partial<RampEffect> {
    const { config, file } = this.#facts.reported;
    // Who writes into the file that it is decided, or off, has the last word.
    if (file.winner !== undefined || !file.isActive) return {};
    if (config.ramp !== undefined) return effectOf(ramp, planOf(config));
    return ramp.kind === "rolled_back" ? { isActive: false } : {};
  }

  #reasonOf(ramp: RampState): string {
    const { name } = this.#config;
    if (ramp.kind !== "running") return `${name}: ${ramp.kind.replace("_", " ")}`;
    return `${name}: step ${ramp.step + 1}`;
  }

  /** All is as the ramp wants it: remembers which keys are its own. */
  async #keepMade(state: ExperimentState, made: MadeEffect): Promise<void> {
    const isKept = state.takenBy === undefined && state.made?.paths.join() === made.paths.join();
    if (!isKept) await this.#write({ ...state, made, takenBy: undefined }, []);
  }

  /** Somebody has changed a key by hand: the ramp leaves the keys alone, and pauses where it runs. */
  async #giveWay(
    state: ExperimentState,
    { by, why }: Extract<EffectOutcome, { kind: "taken" }>,
  ): Promise<void> {
    if (state.takenBy !== undefined) return;
    const { ramp } = state;
    const isRunning = ramp.kind === "running";
    const order = { command: "pause" as const, why, nowMs: this.#nowMs };
    const paused = isRunning ? commandRamp(ramp, planOf(this.#config), order) : ramp;
    const event = this.#event(isRunning ? "paused" : "taken over", why, by);
    await this.#write({ ...state, ramp: paused, takenBy: why }, [event]);
  }

  #event(what: string, why: string, by: string = RAMP): ReleaseEvent {
    return { atMs: this.#nowMs, by, what, why };
  }

  /** Keeps the state, and tells what led to it. */
  async #write(state: ExperimentState, events: readonly ReleaseEvent[]): Promise<void> {
    await this.#record.write(state, events);
    const { service, config } = this.#facts.reported;
    for (const { by, what, why } of events) {
      const fields = { experiment: config.name, service, phase: state.phase, by, why };
      this.#parts.log.info(fields, `Experiment ${config.name}: ${what}`);
    }
  }

  #warn(why: string, error?: unknown): void {
    const { service, config } = this.#facts.reported;
    const fields = {
      experiment: config.name,
      service,
      ...(error === undefined ? {} : { err: error }),
    };
    this.#parts.log.warn(fields, `Experiment ${config.name}: ${why}`);
  }
}

/** Is it a decision, and not the one that is kept with the numbers it was made of? */
function isNews(
  { decision }: ExperimentAnalysis,
  decided: ExperimentAnalysis | undefined,
): boolean {
  if (decision.kind === "keep_running") return false;
  const kept = decided?.decision;
  return decision.kind !== kept?.kind || decision.why !== kept.why;
}
