// Sends one HTTP/1.1 request over and over, and measures how long the answers take. It runs as a process of its
// own, so that its garbage and its timers disturb nobody: `node generator.ts '<LoadPlan as JSON>'` prints a
// LoadResult as JSON.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { percentilesOf, type Percentiles } from "../percentiles.ts";

export interface LoadPlan {
  readonly port: number;
  readonly path: string;
  readonly body: string;
  /** Keep-alive connections, opened before the first request. */
  readonly connections: number;
  /** `open` sends at a constant rate whatever the answers do, `closed` sends when the last one has come. */
  readonly arrivals:
    { readonly kind: "open"; readonly requestsPerSecond: number } | { readonly kind: "closed" };
  /** Sent before the measurement; counted nowhere. */
  readonly warmupMs: number;
  readonly durationMs: number;
  /** The run also ends after this many requests, warm-up included. */
  readonly requestsMax: number;
}

export interface LoadResult {
  /** Answers with status 200, of requests that were due within the measured time. */
  readonly ok: number;
  /** Answers with another status. */
  readonly refused: number;
  /** Requests without a whole answer: the connection broke, or it had not come `GRACE_MS` after the end. */
  readonly unanswered: number;
  /** All answers, those of the warm-up too. */
  readonly answersInAll: number;
  /** Open loop: requests that were due while every connection was busy, and were never sent. */
  readonly droppedStarts: number;
  readonly okPerSecond: number;
  /** Open loop: from the moment the request was due. Closed loop: from the moment it was sent. */
  readonly latencyMs: Percentiles;
  /** How late the generator itself sent; nothing is due in a closed loop. */
  readonly lagMs: Percentiles;
  /** CPU time by wall time. An open loop waits busily; a closed one above 0.85 measures itself. */
  readonly generatorCpu: number;
}

/** Longest wait for the last answers. */
const GRACE_MS = 2_000;
/** A timer may be a millisecond late, so the last stretch before a request is due is waited for busily. */
const SPIN_MS = 2;
const REPLY_BYTES_MAX = 2 ** 20;

/** One keep-alive connection with at most one request under way. */
class Connection {
  readonly #socket: Socket;
  readonly #request: Buffer;
  #partial: Buffer | undefined;
  /** Stays set when the connection breaks before the answer. */
  isBusy = false;
  /** When the request under way was due. */
  dueMs = 0;
  /** Called with the status of an answer, when the connection can take the next request. */
  onReply: (status: number) => void = () => undefined;

  constructor(socket: Socket, request: Buffer) {
    this.#socket = socket;
    this.#request = request;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    socket.on("error", () => undefined); // "close" follows; a request under way stays unanswered
  }

  get isOpen(): boolean {
    return this.#socket.writable;
  }

  send(dueMs: number): void {
    this.dueMs = dueMs;
    this.isBusy = true;
    this.#socket.write(this.#request);
  }

  #read(chunk: Buffer): void {
    const bytes = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = undefined;
    const headEnd = bytes.indexOf("\r\n\r\n");
    const head = bytes.toString("latin1", 0, Math.max(0, headEnd));
    const [, length] = /\r\ncontent-length: *(\d+)/i.exec(head) ?? [];
    const end = length === undefined ? Infinity : headEnd + 4 + Number(length);
    if (bytes.length < end && bytes.length < REPLY_BYTES_MAX && (headEnd === -1 || length)) {
      this.#partial = bytes;
      return;
    }
    if (bytes.length !== end || !this.isBusy) {
      this.close(); // chunked, endless or unasked: nothing this generator can count
      return;
    }
    this.isBusy = false;
    this.onReply(Number(head.slice(9, 12)));
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** Counts what comes back and keeps the latencies of the measured time. */
class Recorder {
  readonly latenciesMs: number[] = [];
  readonly lagsMs: number[] = [];
  ok = 0;
  refused = 0;
  answersInAll = 0;
  droppedStarts = 0;
  readonly startMs = performance.now();
  readonly fromMs: number;
  readonly toMs: number;
  readonly #cpuBefore = process.cpuUsage();

  constructor(plan: LoadPlan) {
    this.fromMs = this.startMs + plan.warmupMs;
    this.toMs = this.fromMs + plan.durationMs;
  }

  isMeasured(dueMs: number): boolean {
    return dueMs >= this.fromMs && dueMs < this.toMs;
  }

  sent(dueMs: number): void {
    if (this.isMeasured(dueMs)) this.lagsMs.push(performance.now() - dueMs);
  }

  dropped(dueMs: number): void {
    if (this.isMeasured(dueMs)) this.droppedStarts++;
  }

  replied(dueMs: number, status: number): void {
    this.answersInAll++;
    if (!this.isMeasured(dueMs)) return;
    if (status === 200) this.ok++;
    else this.refused++;
    this.latenciesMs.push(performance.now() - dueMs);
  }

  result(unanswered: number, endMs: number): LoadResult {
    const { ok, refused, answersInAll, droppedStarts } = this;
    const { user, system } = process.cpuUsage(this.#cpuBefore);
    return {
      ok,
      refused,
      unanswered,
      answersInAll,
      droppedStarts,
      okPerSecond: (ok * 1000) / (Math.min(endMs, this.toMs) - this.fromMs),
      latencyMs: percentilesOf(this.latenciesMs),
      lagMs: percentilesOf(this.lagsMs),
      generatorCpu: (user + system) / 1000 / (performance.now() - this.startMs),
    };
  }
}

/** Sends at a constant rate. The connection used last goes first; a late start is made up for at once. */
function sendAtRate(
  requestsPerSecond: number,
  plan: LoadPlan,
  recorder: Recorder,
  connections: readonly Connection[],
): Promise<void> {
  const idle = [...connections];
  for (const connection of connections) {
    connection.onReply = (status) => {
      recorder.replied(connection.dueMs, status);
      idle.push(connection);
    };
  }
  let count = 0;
  return new Promise((resolve) => {
    const sendWhatIsDue = (): void => {
      for (;;) {
        const dueMs = recorder.startMs + (count * 1000) / requestsPerSecond;
        if (dueMs >= recorder.toMs || count === plan.requestsMax) return resolve();
        const waitMs = dueMs - performance.now();
        if (waitMs > SPIN_MS) return void setTimeout(sendWhatIsDue, waitMs - SPIN_MS);
        if (waitMs > 0) return void setImmediate(sendWhatIsDue);
        count++;
        let connection = idle.pop();
        while (connection?.isOpen === false) connection = idle.pop();
        connection?.send(dueMs);
        if (connection === undefined) recorder.dropped(dueMs);
        else recorder.sent(dueMs);
      }
    };
    sendWhatIsDue();
  });
}

/** Every connection sends again as soon as it has its answer. */
function sendOnReply(
  plan: LoadPlan,
  recorder: Recorder,
  connections: readonly Connection[],
): Promise<void> {
  let count = 0;
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, plan.warmupMs + plan.durationMs);
    const send = (connection: Connection): void => {
      const nowMs = performance.now();
      if (nowMs >= recorder.toMs) return;
      if (count === plan.requestsMax) {
        clearTimeout(timer);
        resolve();
        return;
      }
      count++;
      connection.send(nowMs);
    };
    for (const connection of connections) {
      connection.onReply = (status) => {
        recorder.replied(connection.dueMs, status);
        send(connection);
      };
      send(connection);
    }
  });
}

async function runLoad(plan: LoadPlan): Promise<LoadResult> {
  const request = requestBytes(plan);
  const connections = await Promise.all(
    Array.from({ length: plan.connections }, async () => {
      const socket = connect(plan.port, "127.0.0.1");
      await once(socket, "connect", { signal: AbortSignal.timeout(10_000) });
      return new Connection(socket, request);
    }),
  );
  const recorder = new Recorder(plan);
  const { arrivals } = plan;
  if (arrivals.kind === "closed") await sendOnReply(plan, recorder, connections);
  else await sendAtRate(arrivals.requestsPerSecond, plan, recorder, connections);
  const endMs = performance.now();
  const waiting = (): number => connections.filter((connection) => connection.isBusy).length;
  while (waiting() > 0 && performance.now() < endMs + GRACE_MS) await sleep(10);
  const result = recorder.result(waiting(), endMs);
  for (const connection of connections) connection.close();
  return result;
}

function requestBytes({ port, path, body }: LoadPlan): Buffer {
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const plan = JSON.parse(process.argv[2] ?? "") as LoadPlan; // from our own run.ts
process.stdout.write(`${JSON.stringify(await runLoad(plan))}\n`);
