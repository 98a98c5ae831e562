import { Http2Connection } from "./http2-connection.ts";
import type { Http2Link } from "./http2-origin.ts";

export interface Http2PoolOptions {
  /** Begins a connection to the origin. */
  readonly connect: () => Http2Link;
  /** Asked before each: may one more be open, over all origins? */
  readonly mayOpen: () => boolean;
  readonly opened: () => void;
  readonly closed: () => void;
  /** Otherwise each connection is for one request. */
  readonly keepAlive: boolean;
}

/** The connections to one origin. Requests are dealt out in turn, so that processes behind one port share them. */
export class Http2Pool {
  readonly #options: Http2PoolOptions;
  /** Those that take requests. */
  readonly #connections: Http2Connection[] = [];
  /** Those whose sockets are open, or being opened. */
  readonly #open = new Set<Http2Connection>();
  #turn = 0;

  constructor(options: Http2PoolOptions) {
    this.#options = options;
  }

  /** @returns one that has room; undefined when all are full and no further one may be opened. */
  take(): Http2Connection | undefined {
    const count = this.#connections.length;
    for (let tried = 0; tried < count; tried++) {
      this.#turn = this.#turn + 1 < count ? this.#turn + 1 : 0;
      const connection = this.#connections[this.#turn] as Http2Connection;
      if (connection.hasRoom) return connection;
    }
    return this.#options.mayOpen() ? this.open() : undefined;
  }

  /** Begins one more connection. */
  open(): Http2Connection {
    const { connect, keepAlive } = this.#options;
    const connection = new Http2Connection({
      link: connect(),
      isForOne: !keepAlive,
      retired: (retired) => this.#forget(retired),
      closed: (closed) => {
        this.#forget(closed);
        if (this.#open.delete(closed)) this.#options.closed();
      },
    });
    this.#open.add(connection);
    if (keepAlive) this.#connections.push(connection);
    this.#options.opened();
    return connection;
  }

  /** Ends a connection that nothing is under way on. @returns false when there is none. */
  closeIdle(): boolean {
    const idle = this.#connections.find(({ isIdle }) => isIdle);
    idle?.retire();
    return idle !== undefined;
  }

  close(): void {
    for (const connection of this.#open) connection.destroy();
  }

  #forget(connection: Http2Connection): void {
    const at = this.#connections.indexOf(connection);
    if (at !== -1) this.#connections.splice(at, 1);
  }
}
