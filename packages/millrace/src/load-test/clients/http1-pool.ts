import type { LoadPlan } from "../load-plan.ts";
import { Http1Connection, type Http1ConnectionEvents } from "./http1-connection.ts";
import type { Http1Endpoint } from "./http1-endpoint.ts";

/** The largest piece that is read at a time. */
const READ_BYTES = 65_536;

type Limits = Pick<LoadPlan, "connectionsMax" | "connectionsKept">;

/** The connections of a client, to all servers it asks; never more than may be. */
export class Http1Pool {
  readonly #connectionsMax: number;
  readonly #connectionsKept: number;
  readonly #events: Http1ConnectionEvents;
  readonly #buffer = new Uint8Array(READ_BYTES);
  readonly #open = new Set<Http1Connection>();
  /** The one used last is used first, so that few are used where few are enough. Some may be gone. */
  readonly #idle = new Map<Http1Endpoint, Http1Connection[]>();
  peak = 0;

  constructor({ connectionsMax, connectionsKept }: Limits, events: Http1ConnectionEvents) {
    this.#connectionsMax = connectionsMax;
    this.#connectionsKept = connectionsKept;
    this.#events = events;
  }

  /** @returns a free connection, or one that is being opened; undefined where all are busy and no more may be. */
  take(endpoint: Http1Endpoint, nowMs: number): Http1Connection | undefined {
    const idle = this.#idleOf(endpoint);
    for (let free = idle.pop(); free !== undefined; free = idle.pop()) {
      if (free.isGone) continue;
      if (nowMs < free.idleUntilMs) return free;
      this.close(free);
    }
    return this.#open.size < this.#connectionsMax || this.#closeIdle()
      ? this.open(endpoint)
      : undefined;
  }

  open(endpoint: Http1Endpoint): Http1Connection {
    const connection = new Http1Connection(endpoint, this.#buffer, this.#events);
    this.#open.add(connection);
    this.peak = Math.max(this.peak, this.#open.size);
    return connection;
  }

  /** It can be taken again, unless enough of them can. */
  release(connection: Http1Connection): void {
    const idle = this.#idleOf(connection.endpoint);
    if (idle.length < this.#connectionsKept) idle.push(connection);
    else this.close(connection);
  }

  /** It is gone by itself. */
  forget(connection: Http1Connection): void {
    this.#open.delete(connection);
  }

  close(connection: Http1Connection): void {
    this.#open.delete(connection);
    connection.close();
  }

  reset(connection: Http1Connection): void {
    this.#open.delete(connection);
    connection.reset();
  }

  closeAll(): void {
    for (const connection of this.#open) {
      if (connection.start === undefined) connection.close();
      else connection.reset();
    }
    this.#open.clear();
  }

  #idleOf(endpoint: Http1Endpoint): Http1Connection[] {
    let idle = this.#idle.get(endpoint);
    if (idle === undefined) this.#idle.set(endpoint, (idle = []));
    return idle;
  }

  /** Makes place: the connections that nobody uses are to another server. @returns whether there was one. */
  #closeIdle(): boolean {
    for (const idle of this.#idle.values()) {
      for (let free = idle.pop(); free !== undefined; free = idle.pop()) {
        if (free.isGone) continue;
        this.close(free);
        return true;
      }
    }
    return false;
  }
}
