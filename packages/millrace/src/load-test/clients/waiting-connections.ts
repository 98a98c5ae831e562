import type { Http1Connection } from "./http1-connection.ts";

/**
 * Connections that wait for an answer, in the order in which they were asked. They are linked with each other, so one
 * that is answered leaves without a search, and nothing is kept of it.
 */
export class WaitingConnections {
  /** The one that has waited longest. */
  first: Http1Connection | undefined;
  #last: Http1Connection | undefined;
  count = 0;

  add(connection: Http1Connection): void {
    connection.earlier = this.#last;
    connection.later = undefined;
    if (this.#last === undefined) this.first = connection;
    else this.#last.later = connection;
    this.#last = connection;
    this.count++;
  }

  /** It must be among them. */
  delete(connection: Http1Connection): void {
    const { earlier, later } = connection;
    if (earlier === undefined) this.first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    connection.earlier = undefined;
    connection.later = undefined;
    this.count--;
  }
}
