import type { Socket } from "node:net";
import type { FastLaneOptions } from "./fast-lane-options.ts";
import { HotPaths } from "./hot-paths.ts";
import { KEEP_ALIVE_MS, LaneConnection, type LaneState } from "./lane-connection.ts";
import { LaneTurn } from "./lane-turn.ts";
import { ReplyText } from "./reply-text.ts";

/** Time between two looks for connections that take too long. */
const LOOK_MS = 1_000;

/**
 * The short way of a hot request: from the bytes of a socket to its handler and back, for requests of the plain
 * form. Anything else makes the connection Node's, with the bytes that were read, for the rest of its life; so no
 * rule of HTTP stands here a second time.
 */
export class FastLane {
  readonly #options: FastLaneOptions;
  readonly #connections = new Set<LaneConnection>();
  readonly #state: LaneState;
  #isLooking = false;

  /** @param handOver lets Node's parser have a connection. */
  constructor(options: FastLaneOptions, handOver: (socket: Socket) => void) {
    this.#options = options;
    this.#state = {
      options,
      paths: new HotPaths(options.routes),
      text: new ReplyText(options.clock, KEEP_ALIVE_MS),
      turn: new LaneTurn(options),
      arrivingBytes: 0,
      handOver: (socket, connection) => {
        this.#connections.delete(connection);
        handOver(socket);
      },
      onClosed: (connection) => this.#connections.delete(connection),
    };
  }

  /** Serves a new connection. */
  accept(socket: Socket): void {
    this.#connections.add(new LaneConnection(socket, this.#state));
    this.#lookLater();
  }

  /** Closes connections without a request, and the others after their last reply. */
  closeIdle(): void {
    for (const connection of this.#connections) connection.closeWhenIdle();
  }

  /** Closes all connections, whatever they are doing. */
  closeAll(): void {
    for (const connection of this.#connections) connection.closeNow();
  }

  /** One timer for all connections, as long as there are any: the times are long and need not be exact. */
  #lookLater(): void {
    if (this.#isLooking || this.#connections.size === 0) return;
    this.#isLooking = true;
    this.#options.clock.schedule(LOOK_MS, () => {
      this.#isLooking = false;
      const nowMs = this.#options.clock.nowMs();
      for (const connection of this.#connections) connection.checkTime(nowMs);
      this.#lookLater();
    });
  }
}
