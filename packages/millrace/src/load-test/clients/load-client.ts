/** A start that falls due. Times in ms since the begin of the measured time, on the clock of the run. */
export interface Start {
  /** Number of the start, over all threads. */
  readonly seq: number;
  /** Index in the plan's targets. */
  readonly target: number;
  readonly intendedMs: number;
}

/** How a request ended. Times as in Start. */
export interface Ending {
  readonly start: Start;
  /** When it was handed to the socket, or to a connection that was still being opened. */
  readonly sentMs: number;
  /** NaN where no byte came. */
  readonly firstByteMs: number;
  readonly doneMs: number;
  /** HTTP status; 0 where there is no answer. Over gRPC the HTTP status that means the same. */
  readonly code: number;
  /** Bytes of the body, as vegeta counts. */
  readonly bytesOut: number;
  readonly bytesIn: number;
  /** "" where the answer is 200 to 399; else what went wrong: `503 Service Unavailable`, `connect ECONNREFUSED 127.0.0.1:8000`. */
  readonly error: string;
}

/** Sends requests of one protocol, over connections it keeps. */
export interface LoadClient {
  /** Opens connections before anything is due. @throws what the server's address or certificate has against it. */
  open(connections: number): Promise<void>;
  /** @returns false when every connection is busy and no further one may be opened: the start is dropped. */
  send(start: Start): boolean;
  /** Gives up what has no answer in time; called at least every 10 ms. */
  expire(nowMs: number): void;
  readonly underWay: number;
  readonly connectionsPeak: number;
  close(): void;
}

/** What a client has of the run it belongs to. */
export interface ClientContext {
  /** ms since the begin of the measured time. */
  now(): number;
  /** Bytes of the body of this start's request; used up before the next call. */
  bodyOf(start: Start): Uint8Array;
  ended(ending: Ending): void;
}
