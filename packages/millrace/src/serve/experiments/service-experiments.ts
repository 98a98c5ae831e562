import { isDeepStrictEqual } from "node:util";
import type { ServiceConfig } from "../../config/config.ts";
import type { ExperimentConfig } from "../../config/experiment-config.ts";
import type { Sha256 } from "../../core/cache/key-writer.ts";
import { splitDigest } from "../../core/experiment/split-digest.ts";
import { MillraceError } from "../../core/errors.ts";
import { messageOf } from "../../core/message-of.ts";
import type { KeyedHash } from "../../core/predictions/redaction.ts";
import type { VersionLedger } from "../../models/version-ledger.ts";
import type { Logger } from "../../ports/logger.ts";
import type { StickyStore, StickyTrouble } from "../../ports/sticky-store.ts";
import type { ExperimentMetrics } from "./experiment-metrics.ts";
import { SeenUnits } from "./seen-units.ts";
import { experimentKey, isKept, ServiceExperiment } from "./service-experiment.ts";

export interface ServiceExperimentsOptions {
  /** Opens where arms are kept; asked once, when there is an experiment. */
  readonly openSticky: (onTrouble: (trouble: StickyTrouble) => void) => Promise<StickyStore>;
  /** Numbers the splits of each experiment: the same content has the same number everywhere and for good. */
  readonly phases: VersionLedger;
  /** Keyed hash of units; the same in every process of a state folder. */
  readonly hash: KeyedHash;
  readonly sha256: Sha256;
  readonly metrics: ExperimentMetrics;
  readonly log: Logger;
}

/** A change that is ready; requests see nothing of it before `commit`. One of both has to be called; `abort` undoes no `commit`. */
export interface ExperimentChange {
  readonly commit: () => void;
  readonly abort: () => void;
}

type ServicesWithExperiment = readonly Pick<ServiceConfig, "name" | "experiment">[];

/** The experiments of the services as they are now. */
export class ServiceExperiments {
  readonly #options: ServiceExperimentsOptions;
  #sticky: StickyStore | undefined;
  #byService: ReadonlyMap<string, ServiceExperiment> = new Map();

  constructor(options: ServiceExperimentsOptions) {
    this.#options = options;
  }

  find(service: string): ServiceExperiment | undefined {
    return this.#byService.get(service);
  }

  get all(): readonly ServiceExperiment[] {
    return [...this.#byService.values()];
  }

  /**
   * Numbers the splits. Where one changes, every arm that is given from now on until `commit` or `abort` is known to all
   * processes at once: whoever switches first must not give another one to a unit that has just got its own.
   * @throws INVALID_OVERRIDE when arms cannot be kept now; a change that moves nobody does without.
   */
  async prepare(services: ServicesWithExperiment): Promise<ExperimentChange> {
    const made = new Map<string, ServiceExperiment>();
    for (const { name, experiment } of services) {
      if (experiment !== undefined) made.set(name, await this.#experimentOf(name, experiment));
    }
    let isWriteThrough = this.all.some((before) => isResplitIn(before, made));
    if (isWriteThrough) await this.#beginWriteThrough();
    const end = (): void => {
      if (isWriteThrough) this.#sticky?.endWriteThrough();
      isWriteThrough = false;
    };
    return {
      commit: () => {
        this.#byService = made;
        end();
      },
      abort: end,
    };
  }

  async #beginWriteThrough(): Promise<void> {
    try {
      await this.#sticky?.beginWriteThrough();
    } catch (error) {
      const text = `Cannot divide the units of an experiment anew: their arms cannot be kept now, ${messageOf(error)}`;
      throw new MillraceError("INVALID_OVERRIDE", text, { cause: error });
    }
  }

  /**
   * The one there is, where nothing of it changes. A new one has seen nobody, so every unit is exposed again: whoever
   * looks at what comes after the change finds all that take part since.
   */
  async #experimentOf(service: string, config: ExperimentConfig): Promise<ServiceExperiment> {
    const { openSticky, phases, hash, sha256, metrics } = this.#options;
    this.#sticky ??= await openSticky((trouble) => this.onTrouble(trouble));
    const digest = sha256(new TextEncoder().encode(splitDigest(config)));
    const phase = await phases.versionOf(experimentKey(service, config), digest);
    const before = this.#byService.get(service);
    if (before?.phase === phase && isDeepStrictEqual(before.config, config)) return before;
    return new ServiceExperiment({
      service,
      config,
      phase,
      sticky: this.#sticky,
      units: new SeenUnits(hash),
      counters: metrics.countersOf(service, config),
    });
  }

  /** What the store tells. */
  onTrouble(trouble: StickyTrouble): void {
    const { log, metrics } = this.#options;
    switch (trouble.kind) {
      case "lost":
        metrics.countUnkept(trouble.reason, trouble.count);
        return;
      case "failed": {
        const { error } = trouble;
        const text = `Arms of units cannot be kept for now: ${messageOf(error)}; it is tried again`;
        log.warn({ err: error }, text);
        return;
      }
      case "recovered":
        log.info({}, "Arms of units are kept again");
    }
  }

  async close(): Promise<void> {
    await this.#sticky?.close();
  }
}

/** Does the change divide the units of an experiment anew that keeps their arms? */
function isResplitIn(
  before: ServiceExperiment,
  made: ReadonlyMap<string, ServiceExperiment>,
): boolean {
  if (!isKept(before.config)) return false;
  return [...made.values()].some(({ key, phase }) => key === before.key && phase !== before.phase);
}
