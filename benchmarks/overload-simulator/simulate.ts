import { LoopLoad } from "../../packages/millrace/src/core/overload/loop-load.ts";

/** One run of the simulation; times in milliseconds. */
export interface Scenario {
  /** Requests due, as a multiple of what the server can answer. */
  readonly load: number;
  /** Cost of a refusal, in answers. */
  readonly refusalCost: number;
  /** How long a client waits for a free connection before it gives up. */
  readonly patienceMs: number;
  readonly policy: Policy;
}

export type Policy =
  | { readonly kind: "answerAll" }
  /** Refusals take at most this share of a turn; the rest is held. */
  | { readonly kind: "limit"; readonly refusalShareMax: number };

export interface Outcome {
  /** Answers within the objective of their due time, as a share of capacity. */
  readonly goodput: number;
  /** All answers, as a share of capacity. */
  readonly answered: number;
  readonly refused: number;
  /** Never sent, because no connection was free in time. */
  readonly gaveUp: number;
  /** Oldest answer, from the moment it was sent: what a server can see and promise. */
  readonly answerAgeMsMax: number;
  /** Longest time a connection was held until its refusal. */
  readonly heldMsMax: number;
}

export const ANSWER_MS = 1 / 70;
export const CONNECTIONS = 4_000;
export const OBJECTIVE_MS = 100;
const DURATION_MS = 6_000;
const WARM_UP_MS = 3_000;

/** A request on its way: when it was due, and when a connection took it. */
interface Sent {
  readonly dueMs: number;
  readonly sentMs: number;
}

/**
 * Clients with requests due at a constant rate. Each needs one of `CONNECTIONS`; those that find none wait for one, first
 * come, first served, as pools do, and give up after `patienceMs`.
 */
class Clients {
  /** Sent and not yet read by the server. */
  sent: Sent[] = [];
  gaveUp = 0;
  readonly #gapMs: number;
  readonly #patienceMs: number;
  #idle = CONNECTIONS;
  #next = 0;

  constructor(gapMs: number, patienceMs: number) {
    this.#gapMs = gapMs;
    this.#patienceMs = patienceMs;
  }

  get nextDueMs(): number {
    return this.#next * this.#gapMs;
  }

  /** Sends what is due by `nowMs` on connections that are idle. */
  advanceTo(nowMs: number): void {
    while (this.#idle > 0 && this.nextDueMs <= nowMs) {
      this.#idle--;
      this.sent.push({ dueMs: this.nextDueMs, sentMs: this.nextDueMs });
      this.#next++;
    }
    while (this.nextDueMs < nowMs - this.#patienceMs) {
      this.#next++;
      if (nowMs >= WARM_UP_MS) this.gaveUp++;
    }
  }

  /** A connection is free: the one that has waited longest takes it. */
  free(nowMs: number): void {
    this.advanceTo(nowMs);
    this.#idle++;
    if (this.nextDueMs > nowMs) return;
    this.#idle--;
    this.sent.push({ dueMs: this.nextDueMs, sentMs: nowMs });
    this.#next++;
  }
}

/** Runs one scenario; the same result every time. */
export function simulate({ load, refusalCost, patienceMs, policy }: Scenario): Outcome {
  const clients = new Clients(ANSWER_MS / load, patienceMs);
  const loop =
    policy.kind === "limit"
      ? new LoopLoad({ objectiveMs: OBJECTIVE_MS, refusalShareMax: policy.refusalShareMax })
      : undefined;
  const refusalMs = refusalCost * ANSWER_MS;
  const count = { good: 0, answered: 0, refused: 0, answerAgeMsMax: 0, heldMsMax: 0 };
  let held: Sent[] = [];
  let nowMs = 0;
  while (nowMs < DURATION_MS) {
    clients.advanceTo(nowMs);
    if (clients.sent.length + held.length === 0) nowMs = clients.nextDueMs;
    clients.advanceTo(nowMs);
    const fresh = clients.sent;
    clients.sent = [];
    const answers = Math.min(fresh.length, loop?.allowance ?? Infinity);
    for (const { dueMs, sentMs } of fresh.slice(0, answers)) {
      nowMs += ANSWER_MS;
      clients.free(nowMs);
      if (nowMs < WARM_UP_MS) continue;
      count.answered++;
      if (nowMs - dueMs <= OBJECTIVE_MS) count.good++;
      count.answerAgeMsMax = Math.max(count.answerAgeMsMax, nowMs - sentMs);
    }
    held = held.concat(fresh.slice(answers));
    const refused = held.slice(0, loop?.endTurn(answers, held.length) ?? 0);
    held = held.slice(refused.length);
    for (const { sentMs } of refused) {
      nowMs += refusalMs;
      clients.free(nowMs);
      if (nowMs < WARM_UP_MS) continue;
      count.refused++;
      count.heldMsMax = Math.max(count.heldMsMax, nowMs - sentMs);
    }
    loop?.record(answers, refused.length, answers * ANSWER_MS + refused.length * refusalMs);
  }
  const capacity = (nowMs - WARM_UP_MS) / ANSWER_MS;
  return {
    goodput: count.good / capacity,
    answered: count.answered / capacity,
    refused: count.refused / capacity,
    gaveUp: clients.gaveUp / capacity,
    answerAgeMsMax: count.answerAgeMsMax,
    heldMsMax: count.heldMsMax,
  };
}
