import { setTimeout as sleep } from "node:timers/promises";
import { Connection, type ConnectionEvents } from "./connection.ts";
import { DueQueue } from "./due-queue.ts";
import type { LoadPlan, LoadResult } from "./load-plan.ts";
import { Recorder } from "./recorder.ts";

/** How long the last answers are waited for where the plan does not say it. */
const GRACE_MS = 2_000;
/** A timer may be a millisecond late, so the last stretch before a request is due is waited for busily. */
const SPIN_MS = 2;
/** After so many requests in one turn the answers that have come meanwhile are read first. */
const TURN_REQUESTS_MAX = 64;
/** A reset and a new connection cost as much as ten requests; thousands at once would hold up what is due. */
const TURN_RESETS_MAX = 8;
const OPEN_MS_MAX = 10_000;
const READ_BYTES = 65_536;

/**
 * Sends requests at a constant rate by the client's rules of a plan: a due request takes the free connection that
 * was used last, else opens one, else waits in line, first come first served, and is given up when it has waited
 * too long. A late start is made up for at once.
 */
export class OpenLoop implements ConnectionEvents {
  readonly #plan: LoadPlan;
  readonly #request: Buffer;
  readonly #buffer = Buffer.alloc(READ_BYTES);
  readonly #all = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting = new DueQueue();
  /** Busy ones in the order they were sent; `sentMs` tells whether an entry still holds. */
  readonly #sent: { connection: Connection; sentMs: number }[] = [];
  #sentHead = 0;
  #recorder: Recorder;
  #count = 0;
  #peak = 0;
  #opened = 0;
  #isEnding = false;
  #hasWorked = false;
  #idleMs = 0;
  #turnMs = 0;

  constructor(plan: LoadPlan, request: Buffer) {
    this.#plan = plan;
    this.#request = request;
    this.#recorder = new Recorder(plan);
  }

  async run(): Promise<LoadResult> {
    await this.#openFirst();
    this.#recorder = new Recorder(this.#plan);
    this.#turnMs = performance.now();
    await new Promise<void>((resolve) => this.#turn(resolve));
    const endMs = performance.now();
    const generatorBusy = 1 - this.#idleMs / (endMs - this.#recorder.startMs);
    const { graceMs = GRACE_MS } = this.#plan;
    while (this.#isUnderWay() && performance.now() < endMs + graceMs) {
      await sleep(5);
      this.#giveUp(performance.now());
    }
    this.#isEnding = true;
    for (const connection of this.#all) connection.reset();
    return this.#recorder.result({ generatorBusy, connectionsPeak: this.#peak });
  }

  onReply(connection: Connection, status: number): void {
    this.#hasWorked = true;
    const nowMs = performance.now();
    this.#recorder.replied(connection.dueMs, status, nowMs);
    this.#takeNext(connection, nowMs);
  }

  onOpen(connection: Connection): void {
    this.#hasWorked = true;
    this.#opened++;
    if (!connection.isBusy) this.#takeNext(connection, performance.now());
  }

  onGone(connection: Connection): void {
    this.#all.delete(connection);
    if (connection.isBusy) this.#recorder.failed(connection.dueMs);
    else if (this.#idle.includes(connection)) {
      this.#idle.splice(this.#idle.indexOf(connection), 1);
    }
  }

  async #openFirst(): Promise<void> {
    const startMs = performance.now();
    for (let i = 0; i < this.#plan.connectionsAtStart; i++) this.#open();
    while (this.#opened < this.#plan.connectionsAtStart) {
      if (performance.now() - startMs > OPEN_MS_MAX) throw new Error("Cannot open connections");
      await sleep(1);
    }
  }

  #open(): Connection {
    const connection = new Connection(this.#plan.port, this.#request, this.#buffer, this);
    this.#all.add(connection);
    this.#peak = Math.max(this.#peak, this.#all.size);
    return connection;
  }

  /** One turn of the event loop: what is too late is given up, what is due is sent. */
  #turn(resolve: () => void): void {
    const nowMs = performance.now();
    if (!this.#hasWorked) this.#idleMs += nowMs - this.#turnMs;
    this.#hasWorked = false;
    this.#turnMs = nowMs;
    this.#giveUp(nowMs);
    for (let i = 0; i < TURN_REQUESTS_MAX; i++) {
      const dueMs = this.#recorder.startMs + (this.#count * 1000) / this.#plan.requestsPerSecond;
      if (dueMs >= this.#recorder.toMs) return resolve();
      const waitMs = dueMs - nowMs;
      if (waitMs > SPIN_MS) return void setTimeout(() => this.#turn(resolve), waitMs - SPIN_MS);
      if (waitMs > 0) break;
      this.#count++;
      this.#hasWorked = true;
      this.#start(dueMs, nowMs);
    }
    setImmediate(() => this.#turn(resolve));
  }

  #start(dueMs: number, nowMs: number): void {
    this.#recorder.due(dueMs, nowMs);
    const free = this.#idle.pop();
    if (free !== undefined) this.#send(free, dueMs, nowMs);
    else if (this.#all.size < this.#plan.connectionsMax) this.#send(this.#open(), dueMs, nowMs);
    else this.#waiting.push(dueMs);
  }

  #send(connection: Connection, dueMs: number, nowMs: number): void {
    connection.send(dueMs, nowMs);
    if (this.#plan.answerMsMax < Infinity) this.#sent.push({ connection, sentMs: nowMs });
  }

  #takeNext(connection: Connection, nowMs: number): void {
    this.#giveUpWaiting(nowMs);
    const dueMs = this.#waiting.shift();
    if (dueMs === undefined) this.#idle.push(connection);
    else this.#send(connection, dueMs, nowMs);
  }

  #giveUp(nowMs: number): void {
    this.#giveUpWaiting(nowMs);
    this.#giveUpAnswers(nowMs);
  }

  #giveUpWaiting(nowMs: number): void {
    for (;;) {
      const dueMs = this.#waiting.peek();
      if (dueMs === undefined || nowMs - dueMs <= this.#plan.waitMsMax) return;
      this.#waiting.shift();
      this.#recorder.missed(dueMs);
    }
  }

  #giveUpAnswers(nowMs: number): void {
    for (let resets = 0; resets < TURN_RESETS_MAX;) {
      const entry = this.#sent[this.#sentHead];
      if (entry === undefined || nowMs - entry.sentMs <= this.#plan.answerMsMax) break;
      this.#sentHead++;
      const { connection, sentMs } = entry;
      if (!connection.isBusy || connection.sentMs !== sentMs || !this.#all.delete(connection))
        continue;
      resets++;
      connection.reset();
      this.#recorder.abandoned(connection.dueMs);
      if (!this.#isEnding) this.#open();
    }
    if (this.#sentHead < SENT_COMPACT_AT) return;
    this.#sent.splice(0, this.#sentHead);
    this.#sentHead = 0;
  }

  #isUnderWay(): boolean {
    if (this.#waiting.length > 0) return true;
    for (const connection of this.#all) if (connection.isBusy) return true;
    return false;
  }
}

/** Entries passed before their memory is given back. */
const SENT_COMPACT_AT = 65_536;
