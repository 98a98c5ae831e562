import type { BreakerPermit, BreakerRefusal } from "../../core/overload/breaker.ts";
import type { Clock } from "../../core/clock.ts";
import { Ejection, type EjectionRules } from "../../core/overload/ejection.ts";
import type { Logger } from "../../ports/logger.ts";
import type { EndpointStatus } from "../../ports/step-sources.ts";
import type { RemoteEndpoint } from "./remote-endpoint.ts";

export interface EndpointPoolOptions {
  /** Of the step, for the log. */
  readonly remote: string;
  /** At least one. */
  readonly endpoints: readonly RemoteEndpoint[];
  readonly rules: EjectionRules | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Leave for one call to one server. */
export interface EndpointPermit {
  readonly kind: "permit";
  readonly endpoint: RemoteEndpoint;
  readonly permit: BreakerPermit;
}

/**
 * The servers of a step, and which of them is asked: of those that are neither ejected nor kept off by their breaker
 * the one with the fewest calls under way, in turn where several have as few.
 */
export class EndpointPool {
  readonly #endpoints: readonly RemoteEndpoint[];
  readonly #ejection: Ejection;
  #turn = 0;

  constructor({ remote, endpoints, rules, clock, log }: EndpointPoolOptions) {
    this.#endpoints = endpoints;
    const nameOf = (host: number): string => (endpoints[host] as RemoteEndpoint).name;
    this.#ejection = new Ejection({
      clock,
      hosts: endpoints.length,
      rules,
      events: {
        ejected: (host, forMs) => {
          const endpoint = nameOf(host);
          const text = `Remote ${remote}: ${endpoint} keeps failing and is left alone for ${forMs / 1000} s`;
          log.warn({ remote, endpoint, ejectedMs: forMs }, text);
        },
        returned: (host) => {
          const endpoint = nameOf(host);
          log.info({ remote, endpoint }, `Remote ${remote}: ${endpoint} is used again`);
        },
      },
    });
    for (const [host, endpoint] of endpoints.entries()) {
      endpoint.onOutcome = (isFailed) => this.#ejection.record(host, isFailed);
    }
  }

  /**
   * Leave for a call. It is to be used: a breaker may wait for what becomes of it.
   * @param tried names of those that are asked only when there is no other.
   */
  acquire(tried?: ReadonlySet<string>): EndpointPermit | BreakerRefusal {
    let retryAfterMs = Infinity;
    for (const endpoint of this.#inOrder(tried)) {
      const permit = endpoint.breaker.tryAcquire();
      if (permit.kind === "permit") return { kind: "permit", endpoint, permit };
      retryAfterMs = Math.min(retryAfterMs, permit.retryAfterMs);
    }
    return { kind: "refused", retryAfterMs };
  }

  /** Is there one that is well, and none of these? */
  hasOther(tried: ReadonlySet<string>): boolean {
    return this.#endpoints.some(
      ({ name, breaker }, host) =>
        !tried.has(name) && breaker.state === "closed" && !this.#ejection.isEjected(host),
    );
  }

  /** May any of them be called? */
  get isUp(): boolean {
    return this.#endpoints.some(({ breaker }) => breaker.state !== "open");
  }

  get status(): EndpointStatus[] {
    return this.#endpoints.map(({ name, breaker, calls, failures }, host) => ({
      endpoint: name,
      breaker: breaker.state,
      isEjected: this.#ejection.isEjected(host),
      ejections: this.#ejection.ejectionsOf(host),
      calls,
      failures,
    }));
  }

  #inOrder(tried: ReadonlySet<string> | undefined): readonly RemoteEndpoint[] {
    const all = this.#endpoints;
    if (all.length === 1) return all;
    const turn = this.#turn++ % all.length;
    const rank = ({ name, inFlight }: RemoteEndpoint): number =>
      inFlight + (tried?.has(name) === true ? TRIED : 0);
    return [...all.slice(turn), ...all.slice(0, turn)]
      .filter((endpoint) => this.#ejection.isUsable(all.indexOf(endpoint)))
      .sort((a, b) => rank(a) - rank(b));
  }
}

/** More calls than any server has under way: one that was tried comes after all others. */
const TRIED = 1e9;
