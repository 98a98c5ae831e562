import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import type { LoadTarget, RowTable } from "./payloads/load-target.ts";

/** `http1` and `http2` over TLS where the target is https, `http2` in clear (h2c) where it is http. */
export type LoadProtocol = "http1" | "http2" | "grpc";

/** Everything that decides what a load test does; it can be cloned to a thread. */
export interface LoadPlan {
  /** Shown in reports. */
  readonly name: string;
  readonly protocol: LoadProtocol;
  /** At least one. */
  readonly targets: readonly LoadTarget[];
  /** In turn, or by a draw that only the seed and the number of the start decide. */
  readonly choice: "in-turn" | "by-weight";
  /** What the templates of bodies take rows from. */
  readonly rows: RowTable | undefined;
  readonly arrivals: ArrivalsPlan;
  /** Starts due in this time before the measured one are sent and counted nowhere. */
  readonly warmupMs: number;
  /** Infinity: until it is interrupted. */
  readonly durationMs: number;
  /** A request that has no answer so long after it was sent is given up, and counts as an error. */
  readonly timeoutMs: number;
  /** Opened before the warm-up, over all threads. */
  readonly connectionsAtStart: number;
  /** Over all threads; a start that finds all of them busy is dropped. */
  readonly connectionsMax: number;
  /** Over all threads; one that has its answer while so many wait for work is closed. Of HTTP/1.1. */
  readonly connectionsKept: number;
  /** Otherwise each request has a connection of its own. */
  readonly keepAlive: boolean;
  readonly tls: TlsPlan;
  readonly connect: ConnectPlan;
  readonly threads: number;
  /** Of Poisson arrivals, drawn targets and drawn rows. */
  readonly seed: number;
}

export interface TlsPlan {
  /** Do not check the server's certificate. */
  readonly insecure: boolean;
  /** PEM. */
  readonly rootCertificates: readonly string[];
  /** PEM. */
  readonly certificate: string | undefined;
  /** PEM; never printed. */
  readonly privateKey: string | undefined;
}

export interface ConnectPlan {
  readonly localAddress: string | undefined;
  /** Path of a socket that all requests go to. */
  readonly unixSocket: string | undefined;
}
