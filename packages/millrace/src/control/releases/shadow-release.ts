import type { JsonValue } from "../../core/json.ts";
import { MillraceError } from "../../core/errors.ts";
import { messageOf } from "../../core/message-of.ts";
import { OneAtATime } from "../../core/one-at-a-time.ts";
import type { ReleaseEvent, ShadowStatus } from "../../core/release/release-report.ts";
import type { ShadowAnalysis } from "../../core/shadow/shadow-report.ts";
import { describeCompare } from "./describe-compare.ts";
import { VERDICT } from "./gone-overrides.ts";
import { isUnwritten } from "./is-unwritten.ts";
import {
  EVENTS_SHOWN_MAX,
  NO_LOG,
  ORDERS_WAITING_MAX,
  type ReleaseOrder,
  type ReleaseParts,
} from "./release-parts.ts";
import { ReleaseRecord } from "./release-record.ts";
import type { ReportedShadow } from "./traffic-report.ts";

/** What is kept of a shadow: plain JSON. */
interface ShadowState {
  /** When the evidence began, milliseconds since 1970-01-01 UTC. */
  readonly sinceMs: number;
  /** What the evidence is of: another target or comparator begins anew. */
  readonly digest: string;
  /** `wanted`: the verdict is kept, and the live key follows. */
  readonly exclusion: "none" | "wanted" | "made";
  readonly analysis: ShadowAnalysis | undefined;
}

export interface ShadowFacts {
  readonly reported: ReportedShadow;
  /** Of the overrides that are in `reported`. */
  readonly overrideVersion: number;
  /** It was not there yet then: evidence of a new one begins here. Milliseconds since 1970-01-01 UTC. */
  readonly beganMs: number;
}

/** One shadow: what is known of it, and that it gets no copies any longer when its verdict says so. */
export class ShadowRelease {
  readonly #parts: ReleaseParts;
  readonly #record: ReleaseRecord<ShadowState>;
  readonly #turns = new OneAtATime(ORDERS_WAITING_MAX);
  #facts: ShadowFacts;
  #analysisProblem: string | undefined;
  #effectProblem: string | undefined;

  constructor(facts: ShadowFacts, parts: ReleaseParts) {
    const { service, config } = facts.reported;
    this.#facts = facts;
    this.#parts = parts;
    this.#record = new ReleaseRecord(`shadow/${service}/${config.name}`, parts.store);
  }

  get everyMs(): number {
    return this.#config.verdict.everyMs;
  }

  /** Takes up what has changed, and brings the live key to the state. */
  async sync(facts: ShadowFacts): Promise<void> {
    this.#facts = facts;
    try {
      await this.#turns.run(async () => {
        const state = await this.#fitted();
        // A change is on its way: what is in force is seen at the next look.
        if (facts.overrideVersion !== this.#parts.changes.state.version) return;
        await this.#reconcile(state);
      });
    } catch (error) {
      this.#tellProblem(`its state cannot be kept, tried again: ${messageOf(error)}`, error);
    }
  }

  /** Asks the log, and keeps what it says. */
  async look(signal: AbortSignal): Promise<void> {
    const before = await this.#record.read();
    if (before === undefined || before.exclusion !== "none") return;
    const analysis = await this.#analyse(before, signal);
    if (analysis === undefined) return;
    await this.#turns.run(async () => {
      const state = await this.#record.read();
      const isOf = state?.sinceMs === before.sinceMs && state.digest === before.digest;
      if (!isOf || state.exclusion !== "none") return;
      await this.#judge(state, analysis);
    });
  }

  /** Stops the copies. @throws INVALID_TRANSITION when it gets none already, and what a live change throws. */
  exclude(order: ReleaseOrder): Promise<void> {
    return this.#turns.run(async () => {
      const state = await this.#fitted();
      if (this.#isExcluded) throw impossible("exclude", this.#config.name, "is excluded already");
      await this.#set(true, order);
      const event = this.#event("excluded", order.reason, order.by);
      await this.#write({ ...state, exclusion: "made" }, [event]);
    });
  }

  /** Sends it copies again; its evidence begins anew. @throws INVALID_TRANSITION when it gets them already. */
  include(order: ReleaseOrder): Promise<void> {
    return this.#turns.run(async () => {
      const state = await this.#fitted();
      if (!this.#isExcluded && state.exclusion === "none") {
        throw impossible("include", this.#config.name, "is not excluded");
      }
      if (this.#isExcluded) await this.#set(false, order);
      await this.#write(this.#anew(this.#nowMs), [this.#event("included", order.reason, order.by)]);
    });
  }

  /** Why a ramp that waits for this shadow may not start; undefined when it has passed. */
  async missing(): Promise<string | undefined> {
    const { name } = this.#config;
    const verdict = (await this.#record.read())?.analysis?.verdict;
    if (verdict?.kind === "pass") return undefined;
    return `shadow ${name} has not passed: ${verdict?.why ?? "there is no verdict yet"}`;
  }

  /** @param skipped copies that it did not get, by reason. */
  async status(skipped: Readonly<Record<string, number>>): Promise<ShadowStatus> {
    const { name, to, share, compare, isExcluded, verdict } = this.#config;
    const { agreementMin, errorDifferenceMax, latencyRatioMax, pairsMin, lengthMinMs } = verdict;
    return {
      name,
      service: this.#facts.reported.service,
      to,
      share,
      compare: describeCompare(compare),
      isExcluded,
      required: { agreementMin, errorDifferenceMax, latencyRatioMax, pairsMin, lengthMinMs },
      skipped,
      analysis: (await this.#record.read())?.analysis,
      problem: this.#effectProblem ?? this.#analysisProblem,
      events: await this.#record.events(EVENTS_SHOWN_MAX),
    };
  }

  get #config(): ReportedShadow["config"] {
    return this.#facts.reported.config;
  }

  get #path(): string {
    return `services.${this.#facts.reported.service}.traffic.excluded.${this.#config.name}`;
  }

  get #nowMs(): number {
    return this.#parts.clock.wallMs();
  }

  /** As it is kept by now: `reported` may be from before the last change. */
  get #isExcluded(): boolean {
    const override = this.#override;
    if (override !== undefined) return override.value === true;
    return this.#facts.reported.file.isExcluded;
  }

  get #override() {
    return this.#parts.changes.state.overrides.find(({ path }) => path === this.#path);
  }

  #anew(sinceMs: number): ShadowState {
    const { to, compare } = this.#config;
    const digest = JSON.stringify([to, compare]);
    return { sinceMs, digest, exclusion: "none", analysis: undefined };
  }

  async #fitted(): Promise<ShadowState> {
    const before = await this.#record.read();
    const anew = this.#anew(this.#facts.beganMs);
    if (before?.digest === anew.digest) return before;
    const isNew = before === undefined;
    const why = isNew ? "it begins" : "what it runs or how it is compared has changed";
    const state = { ...anew, exclusion: before?.exclusion ?? anew.exclusion };
    await this.#write(state, [this.#event("evidence begins", why)]);
    return state;
  }

  async #reconcile(state: ShadowState): Promise<void> {
    const isExcluded = this.#isExcluded;
    const { exclusion, analysis } = state;
    if (exclusion === "wanted" && !isExcluded) return this.#follow(state, analysis);
    this.#effectProblem = undefined;
    if (exclusion === "made" && !isExcluded) {
      const [event] = await this.#parts.changes.history({ path: this.#path, limit: 1 });
      const included = this.#event("included", event?.reason ?? "", event?.by ?? "file");
      return this.#write(this.#anew(this.#nowMs), [included]);
    }
    if (exclusion !== "made" && isExcluded) {
      const { by = "file", reason = "" } = this.#override ?? {};
      const events = exclusion === "wanted" ? [] : [this.#event("excluded", reason, by)];
      return this.#write({ ...state, exclusion: "made" }, events);
    }
  }

  /** The verdict is kept: brings the live key to it. What fails is tried again at the next look. */
  async #follow(state: ShadowState, analysis: ShadowAnalysis | undefined): Promise<void> {
    try {
      await this.#set(true, { by: VERDICT, reason: analysis?.verdict.why ?? "" });
      await this.#write({ ...state, exclusion: "made" }, []);
      this.#effectProblem = undefined;
    } catch (error) {
      this.#tellProblem(`it still gets copies, tried again: ${messageOf(error)}`, error);
    }
  }

  /** Told once, and shown as long as it lasts. */
  #tellProblem(problem: string, error: unknown): void {
    if (problem !== this.#effectProblem) this.#warn(problem, error);
    this.#effectProblem = problem;
  }

  /** The live key: nothing where the file says the same. */
  async #set(isExcluded: boolean, { by, reason }: ReleaseOrder): Promise<void> {
    const isFile = this.#facts.reported.file.isExcluded === isExcluded;
    const isUnset = isFile && this.#override !== undefined;
    const values: readonly (readonly [string, JsonValue])[] = [[this.#path, isExcluded]];
    const set = new Map(isUnset ? [] : values);
    const unset = isUnset ? [this.#path] : [];
    const facts = { by, reason, versionBefore: undefined };
    await this.#parts.changes.change({ set, unset, forMs: undefined }, facts);
  }

  async #judge(state: ShadowState, analysis: ShadowAnalysis): Promise<void> {
    const { kind, why } = analysis.verdict;
    const isNews = kind !== (state.analysis?.verdict.kind ?? "hold");
    const isExclusion = kind === "exclude" && this.#config.verdict.excludes;
    const events = [
      ...(isNews ? [this.#event(`verdict: ${kind}`, why)] : []),
      ...(isExclusion ? [this.#event("excluded", why)] : []),
    ];
    const exclusion = isExclusion ? "wanted" : "none";
    const next: ShadowState = { ...state, analysis, exclusion };
    await this.#write(next, events);
    if (isExclusion) await this.#follow(next, analysis);
  }

  async #analyse(
    { sinceMs, analysis: before }: ShadowState,
    signal: AbortSignal,
  ): Promise<ShadowAnalysis | undefined> {
    const { service, config } = this.#facts.reported;
    const { analyses } = this.#parts;
    try {
      if (analyses === undefined) throw new Error(NO_LOG);
      const order = { service, config, sinceMs, untilMs: this.#nowMs };
      const analysis = await analyses.shadow(order, signal);
      this.#analysisProblem = undefined;
      return analysis;
    } catch (error) {
      const problem = `no newer numbers: ${messageOf(error)}`;
      const isTold = problem === this.#analysisProblem || isUnwritten(error, before);
      if (!isTold) this.#warn(problem, error);
      this.#analysisProblem = problem;
      return undefined;
    }
  }

  #event(what: string, why: string, by: string = VERDICT): ReleaseEvent {
    return { atMs: this.#nowMs, by, what, why };
  }

  async #write(state: ShadowState, events: readonly ReleaseEvent[]): Promise<void> {
    await this.#record.write(state, events);
    const { service, config } = this.#facts.reported;
    for (const { by, what, why } of events) {
      const fields = { shadow: config.name, service, by, why };
      this.#parts.log.info(fields, `Shadow ${config.name}: ${what}`);
    }
  }

  #warn(why: string, error: unknown): void {
    const { service, config } = this.#facts.reported;
    const fields = { shadow: config.name, service, err: error };
    this.#parts.log.warn(fields, `Shadow ${config.name}: ${why}`);
  }
}

function impossible(command: string, name: string, why: string): MillraceError {
  return new MillraceError("INVALID_TRANSITION", `Cannot ${command} shadow "${name}": it ${why}`);
}
