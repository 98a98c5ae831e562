// oxlint-disable no-restricted-imports -- it puts together what a test runs
import { MemoryOverrideStore } from "../../adapters/override-store-memory/override-store-memory.ts";
import { MemoryReleaseStore } from "../../adapters/release-store-memory/release-store-memory.ts";
import type { ExperimentConfig, RampConfig } from "../../config/experiment-config.ts";
import type { ShadowConfig } from "../../config/shadow-config.ts";
import type { ExperimentAnalysis } from "../../core/experiment/experiment-report.ts";
import type { JsonValue } from "../../core/json.ts";
import type { ShadowAnalysis } from "../../core/shadow/shadow-report.ts";
import { TestClock } from "../../core/test-clock.ts";
import type { OverrideState, OverrideStore } from "../../ports/override-store.ts";
import type { ReleaseStore } from "../../ports/release-store.ts";
import type { ChangeOrder, ServingProcesses } from "../control-messages.ts";
import { OverrideChanges } from "../override-changes.ts";
import type { Analyses } from "./analyses.ts";
import { ReleaseController } from "./release-controller.ts";
import type { TrafficReport, TrafficSource } from "./traffic-report.ts";

/** Facts and processes for tests of releases. */

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;
export const COVERAGE = "services.iris.traffic.experiment.coverage";
export const ACTIVE = "services.iris.traffic.experiment.active";
export const WINNER = "services.iris.traffic.experiment.winner";
export const EXCLUDED = "services.iris.traffic.excluded.rf-shadow";
export const ANN = { by: "ann", reason: "because" };

function stepOf(coverage: number, needsApproval = false): RampConfig["steps"][number] {
  return { coverage, holdMs: HOUR_MS, unitsMin: 100, needsApproval };
}

export const RAMP_PLAN: RampConfig = {
  steps: [stepOf(0.02), stepOf(0.1), stepOf(1)],
  start: "auto",
  after: undefined,
  promote: "auto",
  noData: "hold",
  graceMs: 24 * HOUR_MS,
};

export function experimentOf(facts: Partial<ExperimentConfig> = {}): ExperimentConfig {
  return {
    name: "rf",
    unit: [],
    arms: [
      { name: "control", to: "svc", weight: 0.5 },
      { name: "treatment", to: "forest", weight: 0.5 },
    ],
    control: "control",
    coverage: 0,
    isActive: true,
    winner: undefined,
    salt: "rf",
    namespace: undefined,
    override: undefined,
    isSticky: true,
    minPhase: 1,
    metrics: [],
    onRegression: "rollback",
    onMismatch: "hold",
    analysis: {
      everyMs: MINUTE_MS,
      windowMs: 0,
      method: "sequential",
      alpha: 0.05,
      unitsMin: 100,
      unitsTuned: 5000,
      lengthMinMs: 0,
      lengthMaxMs: 30 * 24 * HOUR_MS,
    },
    ramp: RAMP_PLAN,
    ...facts,
  };
}

export function shadowOf(facts: Partial<ShadowConfig> = {}): ShadowConfig {
  return {
    name: "rf-shadow",
    to: "forest",
    share: 1,
    compare: { kind: "label" },
    timeoutMs: undefined,
    concurrency: 32,
    queue: 256,
    isExcluded: false,
    verdict: {
      agreementMin: 0.99,
      errorDifferenceMax: 0.005,
      latencyRatioMax: 1.2,
      pairsMin: 1000,
      lengthMinMs: 0,
      everyMs: 10_000,
      excludes: true,
    },
    ...facts,
  };
}

/** An analysis that lets a ramp go on, of 100 units an arm. */
export function analysisAt(
  untilMs: number,
  facts: Partial<ExperimentAnalysis> = {},
): ExperimentAnalysis {
  const armOf = (arm: string): ExperimentAnalysis["arms"][number] => ({
    arm,
    isControl: arm === "control",
    weight: 0.5,
    units: 100,
    predictions: 200,
    errors: 0,
    latencyMs: undefined,
  });
  return {
    window: { fromMs: 0, untilMs },
    computedAtMs: untilMs,
    tookMs: 1,
    arms: [armOf("control"), armOf("treatment")],
    phases: [1],
    sampleRatios: [],
    multipleExposures: 0,
    lastExposureMs: untilMs,
    lastPredictionMs: untilMs,
    metrics: [],
    decision: { kind: "keep_running", why: "too few units" },
    ...facts,
  };
}

export function shadowAnalysisAt(
  untilMs: number,
  verdict: ShadowAnalysis["verdict"],
): ShadowAnalysis {
  return {
    window: { fromMs: 0, untilMs },
    computedAtMs: untilMs,
    tookMs: 1,
    model: "forest@1",
    digest: "d",
    pairs: 1000,
    compared: 1000,
    agreed: 999,
    agreement: undefined,
    errors: { primary: 0, shadow: 0 },
    errorDifference: undefined,
    latencyMs: undefined,
    latencyRatio: undefined,
    latencyDifferenceMs: undefined,
    differences: [],
    verdict,
  };
}

/** What the processes have: the file, and the overrides over it. */
export class TestTraffic implements TrafficSource {
  changes: OverrideChanges | undefined;
  overrides: OverrideState = { version: 0, overrides: [] };
  /** By service, as the file has them. */
  experiments: Record<string, ExperimentConfig> = {};
  shadowsByService: Record<string, readonly ShadowConfig[]> = {};
  unready: Record<string, string> = {};
  /** Thrown by the next changes. */
  refusal: Error | undefined;
  /** Every change that was made, as path → value. */
  readonly made: Record<string, JsonValue | undefined>[] = [];

  report(): Promise<TrafficReport> {
    const experiments = Object.entries(this.experiments).map(([service, file]) => ({
      service,
      file,
      config: this.#laid(service, file),
    }));
    const shadows = Object.entries(this.shadowsByService).flatMap(([service, all]) =>
      all.map((file) => {
        const path = `services.${service}.traffic.excluded.${file.name}`;
        const isExcluded = (this.valueOf(path) ?? file.isExcluded) === true;
        return { service, file, config: { ...file, isExcluded } };
      }),
    );
    const { unready } = this;
    const overrideVersion = this.overrides.version;
    return Promise.resolve({ overrideVersion, experiments, shadows, unready });
  }

  #laid(service: string, file: ExperimentConfig): ExperimentConfig {
    const base = `services.${service}.traffic.experiment`;
    const { coverage, isActive, winner } = file;
    return {
      ...file,
      coverage: (this.valueOf(`${base}.coverage`) as number | undefined) ?? coverage,
      isActive: (this.valueOf(`${base}.active`) as boolean | undefined) ?? isActive,
      winner: (this.valueOf(`${base}.winner`) as string | undefined) ?? winner,
    };
  }

  valueOf(path: string): JsonValue | undefined {
    return this.overrides.overrides.find((override) => override.path === path)?.value;
  }

  skippedCopies() {
    const copies = { service: "iris", shadow: "rf-shadow" };
    return Promise.resolve([
      { ...copies, reason: "queue", count: 3 },
      { ...copies, reason: "queue", count: 4 },
      { ...copies, service: "other", reason: "body", count: 5 },
    ]);
  }

  async change({ overrides, paths }: ChangeOrder): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    const previous = Object.fromEntries(paths.map((path) => [path, this.valueOf(path)]));
    await this.changes?.persist({ version: overrides.version, previous });
    this.overrides = overrides;
    this.made.push(Object.fromEntries(paths.map((path) => [path, this.valueOf(path)])));
  }
}

export interface TestReleases {
  readonly clock: TestClock;
  readonly traffic: TestTraffic;
  readonly changes: OverrideChanges;
  readonly controller: ReleaseController;
  readonly store: MemoryReleaseStore;
  /** What the log says; a test replaces its parts. */
  readonly analyses: { -readonly [Name in keyof Analyses]: Analyses[Name] };
  readonly lines: string[];
  /** Lets time pass, second by second, with all that is due. */
  passMs(ms: number): Promise<void>;
  /** Ends the control process, and starts it again with what is kept. */
  restart(): Promise<TestReleases>;
  /** As `restart`, for one that was killed: it hangs at its gate, and nobody asks it to end. */
  startAgain(): Promise<TestReleases>;
  /** Sets a live key as a person does. */
  set(path: string, value: JsonValue): Promise<void>;
  unset(path: string): Promise<void>;
}

/** Everything that outlives a control process is written behind it: a test may let nothing more through. */
export type Gate = () => Promise<void>;

interface Kept {
  readonly gate?: Gate;
  readonly clock?: TestClock;
  readonly traffic?: TestTraffic;
  readonly store?: MemoryReleaseStore;
  readonly overrideStore?: MemoryOverrideStore;
  readonly analyses?: TestReleases["analyses"];
}

/** Both sides of what is written: it may be kept though nobody was told. */
async function through<Result>(gate: Gate, write: () => Promise<Result>): Promise<Result> {
  await gate();
  const result = await write();
  await gate();
  return result;
}

function gatedStores(gate: Gate, releases: MemoryReleaseStore, overrides: MemoryOverrideStore) {
  const store: ReleaseStore = {
    read: (key) => releases.read(key),
    write: (...facts) => through(gate, () => releases.write(...facts)),
    events: (key, limit) => releases.events(key, limit),
    close: () => releases.close(),
  };
  const overrideStore: OverrideStore = {
    read: () => overrides.read(),
    commit: (...facts) => through(gate, () => overrides.commit(...facts)),
    history: (query) => overrides.history(query),
    close: () => overrides.close(),
  };
  return { store, overrideStore };
}

/** Lets promises that are settled by now go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
}

/** Lets everything go on, and decides nothing. */
function undecided(): TestReleases["analyses"] {
  return {
    experiment: ({ untilMs }) => Promise.resolve(analysisAt(untilMs)),
    shadow: ({ untilMs }) =>
      Promise.resolve(shadowAnalysisAt(untilMs, { kind: "hold", why: "too few pairs" })),
  };
}

function keptLog() {
  const lines: string[] = [];
  const silent = (): void => undefined;
  const keep = (_fields: object, line: string): void => void lines.push(line);
  return { log: { debug: silent, info: keep, warn: keep, error: keep }, lines };
}

/** A controller with its parts, one experiment (`rf` of service `iris`) unless a test changes `traffic`; it has started. */
export async function startReleases(
  prepare: (traffic: TestTraffic) => void = () => undefined,
  kept: Kept = {},
): Promise<TestReleases> {
  const clock = kept.clock ?? new TestClock();
  const traffic = kept.traffic ?? new TestTraffic();
  const store = kept.store ?? new MemoryReleaseStore();
  const overrideStore = kept.overrideStore ?? new MemoryOverrideStore();
  if (kept.traffic === undefined) traffic.experiments = { iris: experimentOf() };
  prepare(traffic);
  const { log, lines } = keptLog();
  const gate: Gate = kept.gate ?? (() => Promise.resolve());
  const gated = gatedStores(gate, store, overrideStore);
  const change = (order: ChangeOrder): Promise<void> => through(gate, () => traffic.change(order));
  const processes = { change } as unknown as ServingProcesses;
  const changes = new OverrideChanges({
    store: gated.overrideStore,
    processes,
    clock,
    log: { ...log, info: log.debug },
  });
  traffic.changes = changes;
  // What was kept is brought into force when control starts again.
  traffic.overrides = await changes.start();
  const analyses = kept.analyses ?? undecided();
  const controller = new ReleaseController({
    store: gated.store,
    changes,
    analyses,
    clock,
    log,
    traffic,
    phaseOf: (_service, { arms }) => Promise.resolve(arms[0]?.weight === 0.5 ? 1 : 2),
    startedAtMs: clock.wallMs() - 500,
  });
  controller.start();
  const facts = { ...ANN, versionBefore: undefined };
  const passMs = async (ms: number): Promise<void> => {
    for (let passedMs = 0; passedMs < ms; passedMs += 1_000) {
      clock.advanceMs(Math.min(1_000, ms - passedMs));
      await settle();
    }
  };
  clock.advanceMs(0);
  await settle();
  const startAgain = (): Promise<TestReleases> =>
    startReleases(() => undefined, { clock, traffic, store, overrideStore, analyses });
  return {
    clock,
    traffic,
    changes,
    controller,
    store,
    analyses,
    lines,
    passMs,
    restart: async () => {
      await controller.close();
      changes.close();
      return startAgain();
    },
    startAgain,
    set: async (path, value) => {
      const set = new Map([[path, value]]);
      await changes.change({ set, unset: [], forMs: undefined }, facts);
    },
    unset: async (path) => {
      await changes.change({ set: new Map(), unset: [path], forMs: undefined }, facts);
    },
  };
}
