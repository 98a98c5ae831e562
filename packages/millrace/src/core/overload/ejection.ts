import type { Clock } from "../clock.ts";

export interface EjectionRules {
  /** Calls that fail one after the other, after which a host is left alone. */
  readonly failures: number;
  /** After so long in use without being ejected, the next ejection is a step shorter again. */
  readonly everyMs: number;
  /** Length of the first ejection; the second in a row takes twice as long, the third three times. */
  readonly timeMs: number;
  /** Longest ejection. */
  readonly timeMsMax: number;
  /** Share of the hosts that are out at a time, at most; one may always be. */
  readonly shareMax: number;
  /** When a smaller share of the hosts is in use, all are used: the few would be the next to fall. */
  readonly healthyMin: number;
}

export interface EjectionEvents {
  ejected(host: number, forMs: number): void;
  /** Its time is over, and it is used again. */
  returned(host: number): void;
}

export interface EjectionOptions {
  readonly clock: Clock;
  /** How many there are; they are known by their numbers, from 0. */
  readonly hosts: number;
  /** Undefined never ejects. */
  readonly rules: EjectionRules | undefined;
  readonly events: EjectionEvents;
}

interface Host {
  failuresInRow: number;
  /** Ejections that the next one follows on; falls while it is in use. */
  step: number;
  /** Of the ejection it is in; undefined while it is in use. */
  untilMs: number | undefined;
  /** Since when it is in use, or when `step` last fell. */
  sinceMs: number;
  ejections: number;
}

/**
 * Which of several hosts that do the same are left alone for a while, because one call after the other failed there
 * (Envoy calls it outlier detection). The rules are those of Envoy, but that a host comes back at the moment its time is
 * over: there is no timer, everything is worked out when somebody asks.
 *
 * A single host is never ejected: there would be nobody left, and stopping to call is what a breaker does.
 */
export class Ejection {
  readonly #clock: Clock;
  readonly #rules: EjectionRules | undefined;
  readonly #events: EjectionEvents;
  readonly #hosts: readonly Host[];
  readonly #ejectedMax: number;
  #ejectedCount = 0;

  constructor({ clock, hosts, rules, events }: EjectionOptions) {
    const sinceMs = clock.nowMs();
    this.#clock = clock;
    this.#rules = hosts > 1 ? rules : undefined;
    this.#events = events;
    this.#hosts = Array.from({ length: hosts }, () => newHost(sinceMs));
    this.#ejectedMax = Math.max(1, Math.floor((rules?.shareMax ?? 0) * hosts + ROUNDING));
  }

  /** May the host be called now? An ejected one may when too few are in use. */
  isUsable(host: number): boolean {
    return this.#ejectedCount === 0 || !this.isEjected(host) || this.isPanic;
  }

  isEjected(host: number): boolean {
    this.#bringBack();
    return this.#hosts[host]?.untilMs !== undefined;
  }

  /** Are so few hosts in use that all are used? */
  get isPanic(): boolean {
    this.#bringBack();
    const { healthyMin } = this.#rules ?? { healthyMin: 0 };
    return this.#hosts.length - this.#ejectedCount < healthyMin * this.#hosts.length - ROUNDING;
  }

  /** Milliseconds until the first that is ejected comes back; infinite when none is. */
  get returnInMs(): number {
    this.#bringBack();
    if (this.#ejectedCount === 0) return Infinity;
    const untilMs = Math.min(...this.#hosts.map((host) => host.untilMs ?? Infinity));
    return untilMs - this.#clock.nowMs();
  }

  /** Times the host was ejected, for metrics. */
  ejectionsOf(host: number): number {
    return this.#hosts[host]?.ejections ?? 0;
  }

  /** Counts a call. What says nothing about the host is not counted: a wrong request, one that was given up. */
  record(host: number, isFailed: boolean): void {
    const entry = this.#hosts[host];
    const rules = this.#rules;
    if (entry === undefined || rules === undefined) return;
    if (!isFailed) {
      entry.failuresInRow = 0;
      return;
    }
    entry.failuresInRow++;
    // One that is out is called in a panic only, and what happens then changes nothing.
    if (entry.failuresInRow < rules.failures || this.isEjected(host)) return;
    if (this.#ejectedCount < this.#ejectedMax) this.#eject(host, entry, rules);
  }

  #eject(host: number, entry: Host, rules: EjectionRules): void {
    const nowMs = this.#clock.nowMs();
    const healthySteps = Math.floor((nowMs - entry.sinceMs) / rules.everyMs);
    entry.step = Math.max(0, entry.step - healthySteps) + 1;
    const forMs = Math.min(rules.timeMsMax, rules.timeMs * entry.step);
    entry.untilMs = nowMs + forMs;
    entry.ejections++;
    this.#ejectedCount++;
    this.#events.ejected(host, forMs);
  }

  #bringBack(): void {
    if (this.#ejectedCount === 0) return;
    const nowMs = this.#clock.nowMs();
    for (const [host, entry] of this.#hosts.entries()) {
      if (entry.untilMs === undefined || nowMs < entry.untilMs) continue;
      entry.sinceMs = entry.untilMs;
      entry.untilMs = undefined;
      entry.failuresInRow = 0;
      this.#ejectedCount--;
      this.#events.returned(host);
    }
  }
}

/** Shares such as 0.1 are not quite that in binary. */
const ROUNDING = 1e-9;

function newHost(sinceMs: number): Host {
  return { failuresInRow: 0, step: 0, untilMs: undefined, sinceMs, ejections: 0 };
}
