import type { RequestListener, ServerOptions } from "node:http";
import type { Socket } from "node:net";
import { FastLane } from "./fast-lane.ts";
import { Server } from "../node-http.ts";
import type { FastLaneOptions } from "./fast-lane-options.ts";

/** Node's HTTP server with the fast lane in front: a connection starts there and comes here when it has to. */
export class FrontServer extends Server {
  readonly #lane: FastLane;

  constructor(options: ServerOptions, listener: RequestListener, lane: FastLaneOptions) {
    super(options, listener);
    const connectionListeners = this.listeners("connection");
    this.removeAllListeners("connection");
    this.#lane = new FastLane(lane, (socket) => {
      for (const listen of connectionListeners) listen.call(this, socket);
    });
    this.on("connection", (socket: Socket) => this.#lane.accept(socket));
  }

  override closeIdleConnections(): void {
    this.#lane.closeIdle();
    super.closeIdleConnections();
  }

  override closeAllConnections(): void {
    this.#lane.closeAll();
    super.closeAllConnections();
  }
}
