import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { HttpRequest } from "./peers/peer.ts";

/** What became of the requests of a client that never stops asking. */
export interface SteadyResult {
  readonly requests: number;
  readonly failed: number;
  /** The first few reasons. */
  readonly reasons: readonly string[];
}

const WORKERS = 8;
/** Between two requests of a worker: together at most some 2,000 a second. */
const PAUSE_MS = 4;
const READY_POLL_MS = 50;
const REASONS_MAX = 5;
const REASON_CHARS_MAX = 200;
const ANSWER_MS_MAX = 10_000;

interface Reply {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks all the time over keep-alive connections, as a load balancer would: only servers whose readiness route said
 * 200 when it was asked last. Nothing is tried twice: what does not come back as 200 has failed.
 */
export class SteadyClient {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #request: HttpRequest;
  readonly #readyPorts = new Set<number>();
  readonly #ports = new Set<number>();
  readonly #tasks: Promise<void>[] = [];
  #isStopped = false;
  #requests = 0;
  #failed = 0;
  readonly #reasons: string[] = [];

  constructor(call: HttpRequest) {
    this.#request = call;
  }

  /** Adds a server. */
  add(port: number): void {
    this.#ports.add(port);
  }

  /** Forgets a server that has ended. */
  remove(port: number): void {
    this.#ports.delete(port);
    this.#readyPorts.delete(port);
  }

  isReady(port: number): boolean {
    return this.#readyPorts.has(port);
  }

  start(): void {
    this.#tasks.push(this.#watch());
    for (let i = 0; i < WORKERS; i++) this.#tasks.push(this.#work(i));
  }

  async stop(): Promise<SteadyResult> {
    this.#isStopped = true;
    await Promise.all(this.#tasks);
    this.#agent.destroy();
    return { requests: this.#requests, failed: this.#failed, reasons: this.#reasons };
  }

  async #watch(): Promise<void> {
    while (!this.#isStopped) {
      for (const port of this.#ports) {
        const isReady = await this.#send(port, "GET", "/v2/health/ready").then(
          ({ status }) => status === 200,
          () => false,
        );
        if (isReady && this.#ports.has(port)) this.#readyPorts.add(port);
        else this.#readyPorts.delete(port);
      }
      await sleep(READY_POLL_MS);
    }
  }

  async #work(worker: number): Promise<void> {
    for (let turn = worker; !this.#isStopped; turn++) {
      const ports = [...this.#readyPorts];
      const port = ports[turn % ports.length];
      if (port !== undefined) await this.#ask(port);
      await sleep(PAUSE_MS);
    }
  }

  async #ask(port: number): Promise<void> {
    this.#requests++;
    try {
      const { status, text } = await this.#send(port, "POST", this.#request.path);
      if (status !== 200) this.#fail(`${status}: ${text.slice(0, REASON_CHARS_MAX)}`);
    } catch (error) {
      this.#fail((error as Error).message);
    }
  }

  #fail(reason: string): void {
    this.#failed++;
    if (this.#reasons.length < REASONS_MAX) this.#reasons.push(reason);
  }

  #send(port: number, method: "GET" | "POST", path: string): Promise<Reply> {
    const { body } = this.#request;
    const headers = { ...this.#request.headers, "content-length": String(body.length) };
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          agent: this.#agent,
          host: "127.0.0.1",
          port,
          method,
          path,
          ...(method === "POST" ? { headers } : {}),
          signal: AbortSignal.timeout(ANSWER_MS_MAX),
        },
        (response) => {
          let text = "";
          response.on("data", (chunk: Buffer) => (text += chunk.toString()));
          response.on("error", reject);
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
        },
      );
      sent.on("error", reject);
      sent.end(method === "POST" ? body : undefined);
    });
  }
}
