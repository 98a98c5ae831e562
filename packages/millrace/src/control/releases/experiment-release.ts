import type {
  Decision,
  ExperimentAnalysis,
} from "../../core/experiment/experiment-report.ts";
import { messageOf } from "../../core/message-of.ts";
import { OneAtATime } from "../../core/one-at-a-time.ts";
import { commandRamp } from "../../core/release/command-ramp.ts";
import { describeMove } from "../../core/release/describe-move.ts";
import { nextRamp } from "../../core/release/next-ramp.ts";
import { effectOf } from "../../core/release/ramp-effect.ts";
import { isSilent, type RampLook, type RampNumbers } from "../../core/release/ramp-look.ts";
import type { RampCommand, RampEffect, RampState } from "../../core/release/ramp-state.ts";
import type { ExperimentStatus, ReleaseEvent } from "../../core/release/release-report.ts";
import { wordsOfMs } from "../../core/release/words-of-ms.ts";
import { effectChange, RAMP, type EffectChange } from "./effect-change.ts";
import { experimentKeys } from "./experiment-keys.ts";
import { coveragesOf, fitState, planOf, type ExperimentState } from "./experiment-state.ts";
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
    await this.#turns.run(async () => {
      const state = await this.#fitted();
      const { kind } = state.ramp;
      // What may start does not wait for the next look at the numbers.
      if (kind === "pending" || kind === "ready") await this.#advance(state, undefined);
      await this.#reconcile();
    });
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
      const { analysis, decided, made: _made, takenBy: _taken, ...kept } = await this.#fitted();
      const plan = planOf(this.#config);
      const nowMs = this.#nowMs;
      const why = `${command} by ${by}${reason === "" ? "" : `: ${reason}`}`;
      const ramp = commandRamp(kept.ramp, plan, { command, why, nowMs });
      const move = describeMove(kept.ramp, ramp, plan);
      const evidence = {
        ...(analysis === undefined ? {} : { analysis }),
        ...(decided === undefined ? {} : { decided }),
      };
      // What is decided is decided of the evidence until now.
      const rest = command === "retry" ? { sinceMs: nowMs, isSilent: false } : evidence;
      const events = move === undefined ? [] : [this.#event(move.what, reason || move.why, by)];
      await this.#write({ ...kept, ...rest, ramp }, events);
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
    if (before?.phase !== phase) {
      const isNew = before === undefined;
      const why = isNew ? "it begins" : "arms, weights, salt or namespace have changed";
      const state: ExperimentState = {
        phase,
        ramp: { kind: "pending", why },
        sinceMs: beganMs,
        coverages: coveragesOf(this.#config),
        isSilent: false,
      };
      // The keys that the ramp has set for the phase before are its own.
      const made = before?.made === undefined ? {} : { made: before.made };
      await this.#write({ ...state, ...made }, [this.#event(`phase ${phase}`, why)]);
      return { ...state, ...made };
    }
    const fitted = fitState(before, this.#config, this.#nowMs);
    if (fitted !== before) {
      await this.#write(fitted, [this.#event("steps changed", "the file has others")]);
    }
    return fitted;
  }

  async #analyse(
    { phase, sinceMs }: ExperimentState,
    signal: AbortSignal,
  ): Promise<ExperimentAnalysis | undefined> {
    const { service, config } = this.#facts.reported;
    const { analyses } = this.#parts;
    try {
      if (analyses === undefined) throw new Error(NO_LOG);
      const order = { service, config, phase, sinceMs, untilMs: this.#nowMs };
      const analysis = await analyses.experiment(order, signal);
      this.#analysisProblem = undefined;
      return analysis;
    } catch (error) {
      const problem = `no newer numbers: ${messageOf(error)}`;
      if (problem !== this.#analysisProblem) this.#warn(problem, error);
      this.#analysisProblem = problem;
      return undefined;
    }
  }

  /** One look: at most one step further. */
  async #advance(
    state: ExperimentState,
    analysis: ExperimentAnalysis | undefined,
  ): Promise<void> {
    const plan = planOf(this.#config);
    const { reported, unready, missingToStart } = this.#facts;
    const missing = missingParts(reported, unready, (analysis ?? state.analysis)?.arms ?? []);
    const numbers = analysis && numbersOf(analysis);
    const look = {
      plan,
      observation: { missing, missingToStart, numbers },
      nowMs: this.#nowMs,
    };
    const next = nextRamp(state.ramp, look);
    const ramp = state.takenBy === undefined || next.kind === "rolled_back" ? next : state.ramp;
    const move = describeMove(state.ramp, ramp, plan);
    const events = [
      ...this.#decisionEvents(state, analysis),
      ...this.#silenceEvents(state, look),
      ...(move === undefined ? [] : [this.#event(move.what, move.why)]),
    ];
    if (ramp === state.ramp && analysis === undefined && events.length === 0) return;
    const { made, takenBy, ...kept } = state;
    const isEnd = ramp.kind === "rolled_back" && state.ramp.kind !== "rolled_back";
    const hold = {
      ...(made === undefined ? {} : { made }),
      ...(takenBy === undefined ? {} : { takenBy }),
    };
    const isDecided = analysis !== undefined && analysis.decision.kind !== "keep_running";
    await this.#write(
      {
        ...kept,
        // Rolling back takes the keys, whoever has them.
        ...(isEnd ? {} : hold),
        ...(analysis === undefined ? {} : { analysis }),
        ...(isDecided ? { decided: analysis } : {}),
        ramp,
        isSilent: isSilent(state.ramp, look),
      },
      events,
    );
  }

  #decisionEvents(
    { decided }: ExperimentState,
    analysis: ExperimentAnalysis | undefined,
  ): readonly ReleaseEvent[] {
    if (analysis === undefined || analysis.decision.kind === "keep_running") return [];
    const what = nameOf(analysis.decision);
    if (decided !== undefined && nameOf(decided.decision) === what) return [];
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
    const { changes } = this.#parts;
    const state = await this.#record.read();
    // A change is on its way: what is in force is seen at the next look.
    if (state === undefined || overrideVersion !== changes.state.version) return;
    const keys = experimentKeys(reported, this.#effectOf(state));
    const change = effectChange(keys, changes.state, state.made);
    try {
      if (change.kind === "taken") await this.#giveWay(state, change);
      else if (change.kind === "none") await this.#keepMade(state);
      else if (state.takenBy === undefined) {
        const wanted = { ...change, forMs: undefined };
        const reason = this.#reasonOf(state.ramp);
        await changes.change(wanted, { by: RAMP, reason, versionBefore: overrideVersion });
        await this.#keepMade(state);
      }
      this.#effectProblem = undefined;
    } catch (error) {
      const problem = `the live keys are not as the ramp wants them, tried again: ${messageOf(error)}`;
      if (problem !== this.#effectProblem) this.#warn(problem, error);
      this.#effectProblem = problem;
    }
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
  async #keepMade({ takenBy: _taken, ...state }: ExperimentState): Promise<void> {
    const { version, overrides } = this.#parts.changes.state;
    const keys = experimentKeys(this.#facts.reported, {});
    const paths = overrides
      .filter(({ by, path }) => by === RAMP && keys.some((key) => key.path === path))
      .map(({ path }) => path);
    const isKnown = state.made !== undefined && _taken === undefined;
    if (isKnown && state.made?.paths.join() === paths.join()) return;
    await this.#write({ ...state, made: { version, paths } }, []);
  }

  /** Somebody has changed a key by hand: the ramp leaves the keys alone, and pauses where it runs. */
  async #giveWay(
    state: ExperimentState,
    { key, by: override }: Extract<EffectChange, { kind: "taken" }>,
  ): Promise<void> {
    if (state.takenBy !== undefined) return;
    const [event] = await this.#parts.changes.history({ path: key.path, limit: 1 });
    const who = override?.by ?? event?.by ?? "somebody";
    const value = override === undefined ? "unset" : `set to ${JSON.stringify(override.value)}`;
    const why = `${key.path} was ${value} by ${who}`;
    const { ramp } = state;
    const paused: RampState =
      ramp.kind === "running"
        ? {
            kind: "paused",
            step: ramp.step,
            why,
            ranMs: Math.max(0, this.#nowMs - ramp.sinceMs),
            isApproved: ramp.isApproved,
          }
        : ramp;
    const what = ramp.kind === "running" ? "paused" : "taken over";
    await this.#write({ ...state, ramp: paused, takenBy: why }, [this.#event(what, why, who)]);
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
    const fields = { experiment: config.name, service, ...(error === undefined ? {} : { err: error }) };
    this.#parts.log.warn(fields, `Experiment ${config.name}: ${why}`);
  }
}

/** Does the log have something new to say in this state? */
function isExposed(ramp: RampState): boolean {
  if (ramp.kind === "completed") return ramp.winner === undefined;
  return ramp.kind === "running" || ramp.kind === "paused";
}

function numbersOf(analysis: ExperimentAnalysis): RampNumbers {
  const { window, decision, arms, lastPredictionMs } = analysis;
  return {
    untilMs: window.untilMs,
    decision,
    units: arms.map(({ arm, units }) => ({ arm, count: units })),
    lastPredictionMs,
  };
}

function nameOf(decision: Decision): string {
  switch (decision.kind) {
    case "ship":
      return `decision: ship ${decision.arm}`;
    case "inconclusive":
      return `decision: inconclusive (${decision.reason.replaceAll("_", " ")})`;
    case "rollback":
    case "keep_running":
      return `decision: ${decision.kind.replace("_", " ")}`;
  }
}
