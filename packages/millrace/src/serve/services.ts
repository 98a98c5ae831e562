import type { ServiceConfig } from "../config/config.ts";
import { divideLimits } from "../config/divide-limits.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import { Admission } from "../core/overload/admission.ts";
import { RuleSet } from "../core/rules/rule-set.ts";
import { plainModelOf } from "../graphs/plain-service.ts";
import type { Models } from "../models/models.ts";

/** The part of every service that this process serves. */
export interface ProcessShare {
  /** From 0. */
  readonly index: number;
  readonly processes: number;
}

/** What `auto` aims at when the user set no objective: an answer at the last moment helps nobody. */
const OBJECTIVE_SHARE_OF_TIMEOUT = 0.5;

const NONE: readonly never[] = [];

/** The services of the file as they are now, each with its rules and with the limits of this process. */
export class Services {
  readonly #models: Models;
  readonly #clock: Clock;
  readonly #share: ProcessShare;
  #byName: ReadonlyMap<string, ServiceConfig> = new Map();
  #default: ServiceConfig | undefined;
  #rules: ReadonlyMap<string, RuleSet> = new Map();
  #graphs: ReadonlyMap<string, readonly string[]> = new Map();
  readonly #admissions = new Map<string, Admission>();
  #objectiveMs = Infinity;

  /** @param share limits are divided among the processes that share a port. */
  constructor(models: Models, clock: Clock, share: ProcessShare) {
    this.#models = models;
    this.#clock = clock;
    this.#share = share;
  }

  /** Replaces all of them in one step; the models they name must be there. */
  set(services: Readonly<Record<string, ServiceConfig>>): void {
    this.#byName = new Map(Object.entries(services));
    this.#default = this.all.find((service) => service.isDefault);
    this.#rules = new Map(
      this.all
        .filter(({ rules }) => rules.length > 0)
        .map(({ name, rules }) => [name, new RuleSet(rules)]),
    );
    this.#graphs = new Map(this.all.map((service) => [service.name, this.#graphsBehind(service)]));
    for (const name of this.#admissions.keys()) {
      if (!this.#byName.has(name)) this.#admissions.delete(name);
    }
    this.#objectiveMs = Infinity;
    for (const service of this.all) {
      const objectiveMs = this.#configureAdmission(service);
      this.#objectiveMs = Math.min(this.#objectiveMs, objectiveMs);
    }
  }

  /** Its own, those its rules, its arms and its shadows lead to, and those that stand in for it. */
  #graphsBehind(service: ServiceConfig): string[] {
    const { name, rules, experiment, shadows, overload } = service;
    const { deactivated } = service.parameters;
    const led = [...rules, ...(experiment?.arms ?? []), ...shadows].map(({ to }) => to);
    const names = new Set([name, ...led]);
    if (overload.kind === "fallback") names.add(overload.model);
    if (typeof deactivated === "object") names.add(deactivated.fallback);
    return [...names].filter((one) => {
      const service = this.#byName.get(one);
      return service !== undefined && plainModelOf(service) === undefined;
    });
  }

  /** Limits that change keep what was learned and who is inside. @returns its latency objective, in milliseconds. */
  #configureAdmission(service: ServiceConfig): number {
    const { name, limits, timeoutMs } = service;
    const { processes, index } = this.#share;
    const own = divideLimits(limits, processes, index);
    const slo = this.#models.find(plainModelOf(service) ?? "")?.config.slo;
    const objectiveMs = slo?.latencyP99Ms ?? OBJECTIVE_SHARE_OF_TIMEOUT * timeoutMs;
    const admission = this.#admissions.get(name);
    if (admission !== undefined) admission.configure(own, objectiveMs);
    else {
      this.#admissions.set(name, new Admission({ clock: this.#clock, limits: own, objectiveMs }));
    }
    return objectiveMs;
  }

  get all(): ServiceConfig[] {
    return [...this.#byName.values()];
  }

  get default(): ServiceConfig | undefined {
    return this.#default;
  }

  /** @param name undefined is the default service. */
  find(name: string | undefined): ServiceConfig | undefined {
    return name === undefined ? this.#default : this.#byName.get(name);
  }

  /** @throws MODEL_NOT_FOUND */
  get(name: string): ServiceConfig {
    const service = this.#byName.get(name);
    if (service !== undefined) return service;
    const names = [...this.#byName.keys()].map((known) => `'${known}'`).join(", ");
    throw new MillraceError(
      "MODEL_NOT_FOUND",
      `Request for unknown model: '${name}' is not found, there is ${names === "" ? "none" : names}`,
    );
  }

  /** The rules of a service; undefined when it has none. */
  rulesOf(name: string): RuleSet | undefined {
    return this.#rules.get(name);
  }

  /** Services whose graphs may answer for a service, itself among them where it has one. */
  graphsOf(name: string): readonly string[] {
    return this.#graphs.get(name) ?? NONE;
  }

  /** The limits of a service as they are now in this process; undefined for one that was removed. */
  admissionOf(name: string): Admission | undefined {
    return this.#admissions.get(name);
  }

  /** The smallest latency objective of a service, in milliseconds: what the front ends must not use up themselves. */
  get objectiveMs(): number {
    return this.#objectiveMs;
  }
}
