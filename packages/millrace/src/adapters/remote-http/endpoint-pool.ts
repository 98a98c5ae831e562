import type { BreakerPermit, BreakerRefusal } from "../../core/overload/breaker.ts";
import type { Ejection } from "../../core/overload/ejection.ts";
import type { EndpointStatus } from "../../ports/step-sources.ts";
import type { RemoteEndpoint } from "./remote-endpoint.ts";

export interface EndpointPoolOptions {
  /** At least one. */
  readonly endpoints: readonly RemoteEndpoint[];
  /** Knows each by its place among the endpoints. */
  readonly ejection: Ejection;
}

/** Leave for one call to one server. */
export interface EndpointPermit {
  readonly kind: "permit";
  readonly endpoint: RemoteEndpoint;
  readonly permit: BreakerPermit;
}

interface Host {
  readonly endpoint: RemoteEndpoint;
  /** Its place. */
  readonly index: number;
}

/**
 * The servers of a step, and which of them is asked: of those that are neither ejected nor kept off by their breaker
 * the one with the fewest calls under way, in turn where several have as few.
 */
export class EndpointPool {
  readonly #hosts: readonly Host[];
  readonly #ejection: Ejection;
  #turn = 0;

  constructor({ endpoints, ejection }: EndpointPoolOptions) {
    this.#hosts = endpoints.map((endpoint, index) => ({ endpoint, index }));
    this.#ejection = ejection;
  }

  /**
   * Leave for a call. It is to be used: a breaker may wait for what becomes of it.
   * @param tried names of those that are asked only when there is no other.
   */
  acquire(tried?: ReadonlySet<string>): EndpointPermit | BreakerRefusal {
    let retryAfterMs = Infinity;
    for (const { endpoint } of this.#inOrder(tried)) {
      const permit = endpoint.breaker.tryAcquire();
      if (permit.kind === "permit") return { kind: "permit", endpoint, permit };
      retryAfterMs = Math.min(retryAfterMs, permit.retryAfterMs);
    }
    retryAfterMs = Math.min(retryAfterMs, this.#ejection.returnInMs);
    return { kind: "refused", retryAfterMs };
  }

  /** Is there one that is well, and none of these? */
  hasOther(tried: ReadonlySet<string>): boolean {
    return this.#hosts.some(
      ({ endpoint: { name, breaker }, index }) =>
        !tried.has(name) && breaker.state === "closed" && !this.#ejection.isEjected(index),
    );
  }

  /** May any of them be called? */
  get isUp(): boolean {
    return this.#hosts.some(({ endpoint }) => endpoint.breaker.state !== "open");
  }

  get status(): EndpointStatus[] {
    return this.#hosts.map(({ endpoint: { name, breaker, calls, failures }, index }) => ({
      endpoint: name,
      breaker: breaker.state,
      isEjected: this.#ejection.isEjected(index),
      ejections: this.#ejection.ejectionsOf(index),
      calls,
      failures,
    }));
  }

  #inOrder(tried: ReadonlySet<string> | undefined): readonly Host[] {
    const all = this.#hosts;
    if (all.length === 1) return all;
    const turn = this.#turn++ % all.length;
    const rank = ({ endpoint: { name, inFlight } }: Host): number =>
      inFlight + (tried?.has(name) === true ? TRIED : 0);
    return [...all.slice(turn), ...all.slice(0, turn)]
      .filter(({ index }) => this.#ejection.isUsable(index))
      .sort((a, b) => rank(a) - rank(b));
  }
}

/** More calls than any server has under way: one that was tried comes after all others. */
const TRIED = 1e9;
