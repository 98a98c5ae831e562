import type { Percentiles } from "../../percentiles.ts";

/** An open loop: every request has a due time, at a constant rate, whatever the answers do. */
export interface LoadPlan {
  readonly port: number;
  /** File with the bytes of one HTTP/1.1 request, head and body; it is sent over and over. */
  readonly requestFile: string;
  readonly requestsPerSecond: number;
  /** Requests due in this time are sent and counted nowhere. */
  readonly warmupMs: number;
  readonly durationMs: number;
  /** Opened before the first request is due. */
  readonly connectionsAtStart: number;
  /** A due request that finds no free connection opens one while there are fewer than this. */
  readonly connectionsMax: number;
  /** Longest wait of a due request for a free connection; then it is given up. */
  readonly waitMsMax: number;
  /** A request unanswered for so long is abandoned: its connection is reset and another one opened. */
  readonly answerMsMax: number;
  /** An answer 200 within this time of the due time is in time. */
  readonly inTimeMs: number;
  /** How long the last answers are waited for when nothing is due any more; absent: 2 s. */
  readonly graceMs?: number;
}

/** Each request due in the measured time is in exactly one of `ok`, `refused`, `failed`, `missed`, `abandoned`, `unanswered`. */
export interface LoadResult {
  readonly due: number;
  /** Answers with status 200. */
  readonly ok: number;
  /** Those of them that came in time. */
  readonly okInTime: number;
  /** Answers with status 503 or 429. */
  readonly refused: number;
  /** Answers with another status, and requests whose connection broke. */
  readonly failed: number;
  /** All that were answered, by status. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Never sent, because no connection became free in time. */
  readonly missed: number;
  /** Sent, and given up without an answer. */
  readonly abandoned: number;
  /** Without an answer a while after the end. */
  readonly unanswered: number;
  /** Answers of any status, those of the warm-up too. */
  readonly answersInAll: number;
  readonly okPerSecond: number;
  /** Of answers with status 200, from the moment the request was due. */
  readonly latencyMs: Percentiles;
  /** Of refusals, from the moment the request was due. */
  readonly refusedMs: Percentiles;
  /** How late the generator itself turned to a request that was due. */
  readonly lagMs: Percentiles;
  /** Share of the time in which the generator had something to do; near 1 it measures itself. */
  readonly generatorBusy: number;
  /** Most connections open at a time. */
  readonly connectionsPeak: number;
}
