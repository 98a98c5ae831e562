import { createDueTimes } from "../core/load/due-times.ts";
import { ClientStarts } from "./client-starts.ts";
import { createClient } from "./clients/create-client.ts";
import type { ClientContext, Ending, LoadClient, Start } from "./clients/load-client.ts";
import { PayloadSource } from "./payloads/payload-source.ts";
import { ResultRecorder } from "./result-recorder.ts";
import { RunClock } from "./run-clock.ts";
import { ScheduledStarts } from "./scheduled-starts.ts";
import { sharePlan } from "./share-plan.ts";
import { StartLoop, type StartLoopEvents } from "./start-loop.ts";
import type { StartSource } from "./start-source.ts";
import { ThreadCpu } from "./thread-cpu.ts";
import type { StartCounts, ThreadReport, ThreadStart } from "./thread-messages.ts";

/** Results are handed over so often, or when a block is full. */
const BLOCK_MS = 100;
/** Blocks handed over and not taken yet: half a million results. */
const BLOCKS_WAITING_MAX = 4096;
/** Starts that never got their turn and are counted one by one; a run with so many is spoiled anyway. */
const MISSED_MAX = 5_000_000;

/** What one thread of a load test does: sends its share of the requests, and tells how they ended. */
export class LoadThread implements ClientContext, StartLoopEvents {
  readonly #start: ThreadStart;
  readonly #plan: ThreadStart["plan"];
  readonly #report: (report: ThreadReport) => void;
  readonly #clock = new RunClock();
  readonly #cpu = new ThreadCpu();
  readonly #recorder = new ResultRecorder();
  readonly #payloads: PayloadSource;
  readonly #client: LoadClient;
  #loop: StartLoop | undefined;
  #isStopped = false;
  /** When `finish` was called. */
  #finishedMs = Infinity;
  #reportedMs = -Infinity;
  #waitingBlockCount = 0;
  #sent = 0;
  #dropped = 0;
  #ended = 0;

  /** @throws LoadInputError when the plan cannot be followed. */
  constructor(start: ThreadStart, report: (report: ThreadReport) => void) {
    this.#start = start;
    this.#plan = sharePlan(start.plan, start.thread, start.threads);
    this.#report = report;
    this.#payloads = new PayloadSource(this.#plan);
    this.#client = createClient(this.#plan, this);
  }

  /** Opens the first connections. @throws LoadInputError when the server cannot be reached. */
  async open(): Promise<void> {
    await this.#client.open(this.#plan.connectionsAtStart);
  }

  /** @param zeroNs begin of the measured time on the clock of process.hrtime. @returns when all has ended, or `stop` was called. */
  async run(zeroNs: bigint): Promise<StartCounts> {
    this.#clock.begin(zeroNs);
    this.#cpu.take();
    const source = this.#source();
    const { durationMs } = this.#plan;
    const loop = { source, client: this.#client, cpu: this.#cpu, durationMs };
    this.#loop = new StartLoop(loop, this);
    if (!this.#isStopped) await this.#loop.run();
    const nowMs = this.#clock.now();
    this.#handOver(nowMs);
    this.#client.close();
    return this.#counts(source, nowMs);
  }

  /** Starts nothing more; `run` ends when all that was sent has ended. */
  finish(): void {
    if (this.#loop === undefined) return this.stop();
    this.#finishedMs = Math.min(this.#finishedMs, this.#clock.now());
    this.#loop.finish();
  }

  /** Ends `run` now, or as soon as it is called. */
  stop(): void {
    this.#isStopped = true;
    this.#loop?.stop();
  }

  /** A block has been taken by the other side. */
  taken(): void {
    this.#waitingBlockCount--;
  }

  now(): number {
    return this.#clock.now();
  }

  bodyOf(start: Start): Uint8Array {
    return this.#payloads.bodyOf(start);
  }

  targetOf(seq: number): number {
    return this.#payloads.targetOf(seq);
  }

  onSent(start: Start): void {
    if (isMeasured(start)) this.#sent++;
  }

  onDropped(start: Start): void {
    if (!isMeasured(start)) return;
    this.#dropped++;
    this.#recorder.dropped(start.intendedMs);
    if (this.#recorder.isFull) this.#handOver(this.#clock.now());
  }

  onLook(nowMs: number): void {
    if (nowMs - this.#reportedMs < BLOCK_MS) return;
    if (nowMs >= 0) return this.#handOver(nowMs);
    this.#reportedMs = nowMs;
    this.#cpu.take(); // that of the warm-up is nobody's business
  }

  ended(ending: Ending): void {
    if (isMeasured(ending.start)) {
      this.#ended++;
      this.#recorder.ended(ending);
      if (this.#recorder.isFull) this.#handOver(ending.doneMs);
    }
    this.#loop?.ended(ending.doneMs);
  }

  #source(): StartSource {
    const { arrivals, warmupMs, durationMs, seed } = this.#plan;
    const { thread, threads } = this.#start;
    if (arrivals.kind === "closed") {
      const { clients, thinkMs } = arrivals;
      return new ClientStarts({ clients, thinkMs, warmupMs, durationMs, thread, threads });
    }
    return new ScheduledStarts(
      createDueTimes({ arrivals, worker: thread, workers: threads, warmupMs, durationMs, seed }),
    );
  }

  #handOver(nowMs: number): void {
    if (this.#waitingBlockCount === BLOCKS_WAITING_MAX) {
      throw new Error(
        `Cannot keep more results: ${BLOCKS_WAITING_MAX} blocks of them have not been taken`,
      );
    }
    this.#waitingBlockCount++;
    const measuredMs = this.#measuredUntil(nowMs) - this.#measuredUntil(this.#reportedMs);
    this.#reportedMs = nowMs;
    const { underWay, connectionsPeak } = this.#client;
    const cpu = this.#cpu.take();
    const thread = { thread: this.#start.thread, cpu, measuredMs, underWay, connectionsPeak };
    this.#report({ kind: "block", block: { ...this.#recorder.take(), thread } });
  }

  /** How much of the time until then was measured time. */
  #measuredUntil(nowMs: number): number {
    return Math.max(0, Math.min(nowMs, this.#plan.durationMs, this.#finishedMs));
  }

  /** @param nowMs until when starts were taken; what fell due by then and was not taken never got its turn. */
  #counts(source: StartSource, nowMs: number): StartCounts {
    const endMs = Math.min(nowMs, this.#plan.durationMs, this.#finishedMs);
    let missed = 0;
    while (source.dueMs < endMs && missed < MISSED_MAX) {
      if (source.dueMs >= 0) missed++;
      source.take();
    }
    const [sent, dropped] = [this.#sent, this.#dropped];
    return { due: sent + dropped + missed, sent, dropped, unanswered: sent - this.#ended };
  }
}

/** Those of the warm-up are counted nowhere. */
function isMeasured({ intendedMs }: Start): boolean {
  return intendedMs >= 0;
}
