import type { ExperimentConfig } from "../../config/experiment-config.ts";
import { MillraceError } from "../../core/errors.ts";
import type { RampCommand } from "../../core/release/ramp-state.ts";
import type { ExperimentStatus, ShadowStatus } from "../../core/release/release-report.ts";
import { RAMP } from "./effect-change.ts";
import { ExperimentRelease, type ExperimentFacts } from "./experiment-release.ts";
import { goneOverrides } from "./gone-overrides.ts";
import { Looks, type LookedAt } from "./looks.ts";
import type { ReleaseOrder, ReleaseParts } from "./release-parts.ts";
import { ShadowRelease, type ShadowFacts } from "./shadow-release.ts";
import type { TrafficReport, TrafficSource } from "./traffic-report.ts";

/** How often what is in force is compared with what is to be. */
const TICK_MS = 1_000;

export interface ReleaseControllerOptions extends ReleaseParts {
  readonly traffic: TrafficSource;
  /** Number of an experiment's split: the same split has the same one, in every process and for good. */
  readonly phaseOf: (service: string, config: ExperimentConfig) => Promise<number>;
  /** Of `millrace up`, milliseconds since 1970-01-01 UTC. */
  readonly startedAtMs: number;
}

/**
 * Looks after every experiment and every shadow: once a second at what is in force, and in the rhythm of each at what
 * the log says of it.
 */
export class ReleaseController {
  readonly #options: ReleaseControllerOptions;
  readonly #looks: Looks;
  /** By `<service>/<name>`. */
  readonly #experiments = new Map<string, ExperimentRelease>();
  readonly #shadows = new Map<string, ShadowRelease>();
  /** When the processes were asked for their traffic last. */
  #askedAtMs: number;
  /** Of the overrides that the processes had then. */
  #seenVersion = 0;
  /** Of ticks and of what people ask for, one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  /** The one that has not begun: who asks meanwhile waits for it. */
  #next: Promise<void> | undefined;
  #problem: string | undefined;
  #cancel: () => void = () => undefined;
  #isClosed = false;

  constructor(options: ReleaseControllerOptions) {
    const { clock, log, startedAtMs } = options;
    this.#options = options;
    this.#askedAtMs = startedAtMs;
    this.#looks = new Looks(clock, (error) => {
      if (!this.#isClosed) log.error({ err: error }, "A release could not be looked at");
    });
  }

  start(): void {
    this.#tickIn(0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    this.#looks.close();
    await this.#last.catch(() => undefined);
  }

  async experiments(): Promise<readonly ExperimentStatus[]> {
    await this.#settle();
    return Promise.all([...this.#experiments.values()].map((release) => release.status()));
  }

  /** @throws EXPERIMENT_NOT_FOUND */
  async experiment(name: string): Promise<ExperimentStatus> {
    await this.#settle();
    return this.#experimentOf(name).status();
  }

  /** @throws EXPERIMENT_NOT_FOUND, INVALID_TRANSITION */
  async command(
    name: string,
    command: RampCommand,
    order: ReleaseOrder,
  ): Promise<ExperimentStatus> {
    await this.#settle();
    await this.#experimentOf(name).command(command, order);
    return this.experiment(name);
  }

  async shadows(): Promise<readonly ShadowStatus[]> {
    await this.#settle();
    const copies = await this.#skippedCopies();
    return Promise.all(
      [...this.#shadows].map(([key, release]) => release.status(copies.get(key) ?? {})),
    );
  }

  /** @throws SHADOW_NOT_FOUND */
  async shadow(name: string): Promise<ShadowStatus> {
    await this.#settle();
    const [key, release] = this.#shadowOf(name);
    return release.status((await this.#skippedCopies()).get(key) ?? {});
  }

  /** @throws SHADOW_NOT_FOUND, INVALID_TRANSITION */
  async exclude(name: string, order: ReleaseOrder): Promise<ShadowStatus> {
    await this.#settle();
    await this.#shadowOf(name)[1].exclude(order);
    return this.shadow(name);
  }

  /** @throws SHADOW_NOT_FOUND, INVALID_TRANSITION */
  async include(name: string, order: ReleaseOrder): Promise<ShadowStatus> {
    await this.#settle();
    await this.#shadowOf(name)[1].include(order);
    return this.shadow(name);
  }

  #tickIn(delayMs: number): void {
    if (this.#isClosed) return;
    this.#cancel = this.#options.clock.schedule(delayMs, () => void this.#tick());
  }

  async #tick(): Promise<void> {
    const { log } = this.#options;
    try {
      await this.#refresh();
      this.#problem = undefined;
    } catch (error) {
      const problem = (error as Error).message;
      if (problem !== this.#problem && !this.#isClosed) {
        log.error({ err: error }, "Experiments and shadows could not be looked at; tried again");
      }
      this.#problem = problem;
    }
    if (this.#isClosed) return;
    // Also of what is known from before: a guardrail holds though nobody says what is in force.
    this.#looks.begin(
      new Set<LookedAt>([...this.#experiments.values(), ...this.#shadows.values()]),
    );
    this.#tickIn(TICK_MS);
  }

  /** As `#refresh`; what that changed is taken up as well, so that a status shows what is in force since. */
  async #settle(): Promise<void> {
    await this.#refresh();
    if (this.#seenVersion !== this.#options.changes.state.version) await this.#refresh();
  }

  /** Takes up what is in force now, and brings it to what is to be. */
  #refresh(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    const next = this.#last.then(() => {
      this.#next = undefined;
      return this.#takeUp();
    });
    this.#next = next;
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #takeUp(): Promise<void> {
    const { traffic, clock } = this.#options;
    const beganMs = this.#askedAtMs;
    const askedAtMs = clock.wallMs();
    const report = await traffic.report();
    this.#askedAtMs = askedAtMs;
    this.#seenVersion = report.overrideVersion;
    await this.#takeShadows(report, beganMs);
    await this.#takeExperiments(report, beganMs);
    await this.#giveBack(report);
  }

  /** What was made of experiments and shadows that have left the file. */
  async #giveBack(report: TrafficReport): Promise<void> {
    const { changes, log } = this.#options;
    if (report.overrideVersion !== changes.state.version) return;
    const unset = goneOverrides(report, changes.state).map(({ path }) => path);
    if (unset.length === 0) return;
    const facts = {
      by: RAMP,
      reason: "it is gone from the file",
      versionBefore: report.overrideVersion,
    };
    try {
      await changes.change({ set: new Map(), unset, forMs: undefined }, facts);
    } catch (error) {
      log.warn({ err: error, paths: unset }, "Overrides of what is gone stay for now; tried again");
    }
  }

  async #takeShadows({ shadows, overrideVersion }: TrafficReport, beganMs: number): Promise<void> {
    const keys = new Set<string>();
    for (const reported of shadows) {
      const facts: ShadowFacts = { reported, overrideVersion, beganMs };
      const key = keyOf(reported);
      keys.add(key);
      const release = this.#shadows.get(key) ?? new ShadowRelease(facts, this.#options);
      this.#shadows.set(key, release);
      await release.sync(facts);
    }
    forgetOthers(this.#shadows, keys);
  }

  async #takeExperiments(report: TrafficReport, beganMs: number): Promise<void> {
    const { overrideVersion, unready } = report;
    const keys = new Set<string>();
    for (const reported of report.experiments) {
      const { service, config } = reported;
      const key = keyOf(reported);
      keys.add(key);
      const facts: ExperimentFacts = {
        reported,
        phase: await this.#options.phaseOf(service, config),
        unready,
        overrideVersion,
        missingToStart: await this.#missingShadow(service, config),
        beganMs,
      };
      const release = this.#experiments.get(key) ?? new ExperimentRelease(facts, this.#options);
      this.#experiments.set(key, release);
      await release.sync(facts);
    }
    forgetOthers(this.#experiments, keys);
  }

  async #missingShadow(service: string, { ramp }: ExperimentConfig): Promise<readonly string[]> {
    if (ramp?.after === undefined) return [];
    const shadow = this.#shadows.get(keyOf({ service, config: { name: ramp.after } }));
    if (shadow === undefined) return [`shadow ${ramp.after} has not passed: it is not there`];
    const missing = await shadow.missing();
    return missing === undefined ? [] : [missing];
  }

  async #skippedCopies(): Promise<ReadonlyMap<string, Readonly<Record<string, number>>>> {
    const all = new Map<string, Record<string, number>>();
    for (const copies of await this.#options.traffic.skippedCopies()) {
      const { service, shadow, reason, count } = copies;
      const key = keyOf({ service, config: { name: shadow } });
      const counts = all.get(key) ?? {};
      counts[reason] = (counts[reason] ?? 0) + count;
      all.set(key, counts);
    }
    return all;
  }

  #experimentOf(name: string): ExperimentRelease {
    const found = findNamed(this.#experiments, name);
    if (found !== undefined) return found[1];
    throw new MillraceError("EXPERIMENT_NOT_FOUND", unknown("experiment", name, this.#experiments));
  }

  #shadowOf(name: string): readonly [key: string, release: ShadowRelease] {
    const found = findNamed(this.#shadows, name);
    if (found !== undefined) return found;
    throw new MillraceError("SHADOW_NOT_FOUND", unknown("shadow", name, this.#shadows));
  }
}

function keyOf({
  service,
  config,
}: {
  readonly service: string;
  readonly config: { readonly name: string };
}): string {
  return `${service}/${config.name}`;
}

function forgetOthers(releases: Map<string, unknown>, keys: ReadonlySet<string>): void {
  for (const key of releases.keys()) if (!keys.has(key)) releases.delete(key);
}

/** Names are unique among the services of a file. */
function findNamed<Release>(
  releases: ReadonlyMap<string, Release>,
  name: string,
): readonly [string, Release] | undefined {
  return [...releases].find(([key]) => nameOf(key) === name);
}

function unknown(what: string, name: string, releases: ReadonlyMap<string, unknown>): string {
  const names = [...releases.keys()].map(nameOf);
  const there = names.length === 0 ? "there is none" : `there is ${names.join(", ")}`;
  return `Cannot find ${what} ${JSON.stringify(name)}: ${there}`;
}

/** Neither name has a slash. */
function nameOf(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}
