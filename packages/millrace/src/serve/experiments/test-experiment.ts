import { createHash } from "node:crypto";
import type { ExperimentConfig } from "../../config/experiment-config.ts";
import { Metrics } from "../../core/metrics/metrics.ts";
import { MemoryVersionLedger } from "../../models/version-ledger.ts";
import type { StickyArm, StickyStore } from "../../ports/sticky-store.ts";
import { ExperimentMetrics } from "./experiment-metrics.ts";
import { SeenUnits } from "./seen-units.ts";
import { ServiceExperiment } from "./service-experiment.ts";
import { ServiceExperiments } from "./service-experiments.ts";

/** For tests: 60 of 100 units get `old`, the others `new`, by the header `x-user`. */
export function experimentConfig(own: Partial<ExperimentConfig> = {}): ExperimentConfig {
  return {
    name: "rf",
    unit: [{ from: "header", name: "x-user" }],
    arms: [
      { name: "control", to: "old", weight: 0.6 },
      { name: "treatment", to: "new", weight: 0.4 },
    ],
    control: "control",
    coverage: 1,
    isActive: true,
    winner: undefined,
    salt: "rf",
    namespace: undefined,
    override: { from: "header", name: "x-variant" },
    isSticky: true,
    minPhase: 1,
    metrics: [],
    onRegression: "rollback",
    onMismatch: "hold",
    analysis: {
      everyMs: 60_000,
      windowMs: 604_800_000,
      method: "sequential",
      alpha: 0.05,
      unitsMin: 100,
      unitsTuned: 5_000,
      lengthMinMs: 0,
      lengthMaxMs: 2_592_000_000,
    },
    ramp: undefined,
    ...own,
  };
}

/** For tests: keeps arms in a map, and tells what it was asked. */
export class TestStickyStore implements StickyStore {
  readonly arms = new Map<string, StickyArm>();
  readonly calls: string[] = [];
  /** Thrown by `beginWriteThrough`. */
  trouble: Error | undefined;

  find(experiment: string, unitHash: string): StickyArm | undefined {
    return this.arms.get(`${experiment} ${unitHash}`);
  }

  add(experiment: string, unitHash: string, arm: StickyArm): boolean {
    const key = `${experiment} ${unitHash}`;
    const known = this.arms.get(key);
    if (known === undefined) this.arms.set(key, arm);
    return known === undefined || known.arm === arm.arm;
  }

  replace(experiment: string, unitHash: string, arm: StickyArm): void {
    this.arms.set(`${experiment} ${unitHash}`, arm);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }

  beginWriteThrough(): Promise<void> {
    this.calls.push("begin");
    return this.trouble === undefined ? Promise.resolve() : Promise.reject(this.trouble);
  }

  endWriteThrough(): void {
    this.calls.push("end");
  }

  forget(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.calls.push("close");
    return Promise.resolve();
  }
}

/** For tests: no key, but as long as one with a key. */
export function testUnitHash(unit: string): string {
  return sha256(new TextEncoder().encode(unit)).slice(0, 32);
}

/** For tests: the experiment of the service `s` as it is now. */
export function openExperiment(own: Partial<ExperimentConfig> = {}, phase = 1) {
  const sticky = new TestStickyStore();
  const registry = new Metrics();
  const config = experimentConfig(own);
  const counters = new ExperimentMetrics(registry).countersOf("s", config);
  const units = new SeenUnits(testUnitHash);
  const options = { service: "s", config, phase, sticky, units, counters };
  return { experiment: new ServiceExperiment(options), sticky, registry };
}

/** For tests: experiments of services, with what they tell. */
export function openExperiments(
  sticky: StickyStore = new TestStickyStore(),
  registry = new Metrics(),
) {
  const lines: string[] = [];
  const write = (_fields: object, text: string): void => void lines.push(text);
  let isOpen = false;
  const experiments = new ServiceExperiments({
    openSticky: () => {
      if (isOpen) throw new Error("Opened twice");
      isOpen = true;
      return Promise.resolve(sticky);
    },
    phases: new MemoryVersionLedger(),
    hash: testUnitHash,
    sha256,
    metrics: new ExperimentMetrics(registry),
    log: { debug: write, info: write, warn: write, error: write },
  });
  return { experiments, registry, lines };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
