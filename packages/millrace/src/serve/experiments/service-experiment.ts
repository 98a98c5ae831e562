import type { RequestValue } from "../../config/request-value.ts";
import type { ExperimentConfig } from "../../config/experiment-config.ts";
import { UnitAssigner } from "../../core/experiment/unit-assigner.ts";
import type { Assignment } from "../../core/experiment/assignment.ts";
import { MillraceError } from "../../core/errors.ts";
import type { Attributes } from "../../core/rules/attributes.ts";
import type { Reads } from "../../models/predictor.ts";
import type { ExperimentKey, StickyStore } from "../../ports/sticky-store.ts";
import { readsOfValues, requestText } from "../request-values.ts";
import type { ExperimentCounters } from "./experiment-metrics.ts";
import type { SeenUnit, SeenUnits } from "./seen-units.ts";

/** The arm of a request, and how it was found. */
export interface ChosenArm {
  /** As it was then. */
  readonly experiment: ServiceExperiment;
  readonly assignment: Assignment;
  /** Model or service that answers. */
  readonly to: string;
  /** Undefined where the request names nobody, and where each request draws. */
  readonly unit: SeenUnit | undefined;
}

/** What a caller says itself in place of a request that would have to be read. */
export interface NamedUnit {
  readonly unit: string | undefined;
  /** Arm that it wants. */
  readonly variant: string | undefined;
  /** What is drawn by where each request draws: the prediction id. */
  readonly predictionId: string;
}

export interface ServiceExperimentOptions {
  readonly service: string;
  readonly config: ExperimentConfig;
  /** Number of the split as it is now. */
  readonly phase: number;
  readonly sticky: StickyStore;
  readonly units: SeenUnits;
  readonly counters: ExperimentCounters;
}

/** Characters of a wrong name that are repeated in the refusal. */
const NAME_SHOWN_MAX = 64;

/** The experiment of one service as the file and the live changes have it now; another state is another object. */
export class ServiceExperiment {
  readonly key: ExperimentKey;
  readonly config: ExperimentConfig;
  readonly phase: number;
  /** What is to be read of a request before its arm can be chosen. */
  readonly reads: Reads;
  readonly #options: ServiceExperimentOptions;
  readonly #assigner: UnitAssigner;
  /** Undefined where no arm is kept. */
  readonly #sticky: StickyStore | undefined;
  readonly #targets: ReadonlyMap<string, string>;

  constructor(options: ServiceExperimentOptions) {
    const { service, config, phase, sticky, units } = options;
    this.#options = options;
    this.key = experimentKey(service, config);
    this.config = config;
    this.phase = phase;
    const { unit, override } = config;
    const reads = readsOfValues(override === undefined ? unit : [...unit, override]);
    this.reads = reads === "nothing" ? "head" : reads; // a draw needs the prediction's id
    this.#sticky = isKept(config) ? sticky : undefined;
    this.#targets = new Map(config.arms.map(({ name, to }) => [name, to]));
    const keptArmOf = (text: string) => sticky.find(this.key, units.of(text).hash);
    this.#assigner = new UnitAssigner(config, phase, isKept(config) ? keptArmOf : undefined);
  }

  /**
   * @param isTest for nobody: it takes no part, but may name an arm.
   * @throws INVALID_HEADER when the request names an arm there is not.
   */
  choose(attributes: Attributes, isTest = false): ChosenArm {
    const { unit: units, override } = this.config;
    const wanted = override === undefined ? undefined : nonEmpty(requestText(attributes, override));
    if (isTest) return this.#choose(undefined, wanted, undefined);
    let unit: string | undefined;
    for (let i = 0; i < units.length && unit === undefined; i++) {
      unit = nonEmpty(requestText(attributes, units[i] as RequestValue));
    }
    return this.#choose(unit, wanted, attributes.unit);
  }

  /** The same for a caller that names the unit itself. @throws INVALID_HEADER */
  chooseFor({ unit, variant, predictionId }: NamedUnit): ChosenArm {
    return this.#choose(nonEmpty(unit), nonEmpty(variant), predictionId);
  }

  /** @param drawnBy what counts where each request draws; undefined draws nothing. */
  #choose(
    unit: string | undefined,
    wanted: string | undefined,
    drawnBy: string | undefined,
  ): ChosenArm {
    if (wanted !== undefined && !this.#targets.has(wanted)) throw this.#unknownArm(wanted);
    const isDrawn = this.config.unit.length === 0;
    const seen = isDrawn || unit === undefined ? undefined : this.#options.units.of(unit);
    const assignment = this.#assign(isDrawn ? drawnBy : unit, wanted, seen);
    this.#options.counters.countRequest(assignment);
    const to = this.#targets.get(assignment.arm) as string; // it gives no others
    return { experiment: this, assignment, to, unit: seen };
  }

  #assign(
    unit: string | undefined,
    wanted: string | undefined,
    seen: SeenUnit | undefined,
  ): Assignment {
    const assignment = this.#assigner.assign(unit, wanted);
    if (this.#sticky === undefined || seen === undefined) return assignment;
    if (assignment.kind !== "enrolled" || assignment.isKept) return assignment;
    const { arm, phase, propensity, isMoved } = assignment;
    const kept = { arm, phase, propensity };
    if (isMoved) this.#sticky.replace(this.key, seen.hash, kept);
    else if (!this.#sticky.add(this.key, seen.hash, kept)) {
      return this.#assigner.assign(unit, wanted); // another process was faster, and its arm counts
    }
    return assignment;
  }

  #unknownArm(wanted: string): MillraceError {
    const { name, override, arms } = this.config;
    const names = arms.map((arm) => arm.name).join(", ");
    const shown = JSON.stringify(wanted.slice(0, NAME_SHOWN_MAX));
    const message = `found ${shown}, expected an arm of ${name}: ${names}`;
    const place =
      override === undefined
        ? ["variant"]
        : [override.from, ...("name" in override ? [override.name] : override.path)];
    return new MillraceError(
      "INVALID_HEADER",
      `Cannot choose an arm by ${place.join(".")}: ${message}`,
      {
        problems: [{ location: place, message, type: "arm" }],
      },
    );
  }

  /** Is it to be told that the unit takes part? Of a unit once a phase, of requests that draw each. */
  isFirst({ assignment, unit }: ChosenArm): boolean {
    if (assignment.kind !== "enrolled") return false;
    return unit === undefined || unit.exposedPhase !== assignment.phase;
  }

  /** It was told, or there is nobody to tell. */
  exposed({ assignment, unit }: ChosenArm): void {
    if (unit !== undefined) unit.exposedPhase = assignment.phase;
    this.#options.counters.countExposure(assignment.arm);
  }
}

/** `iris/rf-2026-11`: no name has a slash in it. */
export function experimentKey(
  service: string,
  { name }: Pick<ExperimentConfig, "name">,
): ExperimentKey {
  return `${service}/${name}`;
}

/** Does a unit keep its arm? Where each request draws there is none. */
export function isKept({ isSticky, unit }: Pick<ExperimentConfig, "isSticky" | "unit">): boolean {
  return isSticky && unit.length > 0;
}

/** An empty text names nobody. */
function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
