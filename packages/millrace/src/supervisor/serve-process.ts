import { fork, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Config } from "../config/config.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import type { ModelStatus } from "../models/served-model.ts";
import { IpcPeer, type Methods } from "./ipc-peer.ts";

/** What a serve process is told at its start. */
export interface StartOrder {
  readonly config: Config;
  /** Number of the process, from 0: in its log lines and its gauges. */
  readonly index: number;
  /** All of them: limits and cores are divided among so many. */
  readonly processes: number;
  /** Do other processes serve already? Then this one opens the port only when its models are loaded. */
  readonly isRestart: boolean;
}

export interface StartReport {
  readonly httpPort: number;
  /** Undefined when it is off. */
  readonly grpcPort: number | undefined;
  readonly models: readonly ModelStatus[];
}

export interface RepositoryOrder {
  readonly action: "load" | "unload";
  readonly model: string;
}

export interface ServeProcessOptions {
  /** Module the process runs. */
  readonly entry: string;
  readonly index: number;
  /** What the process may ask of the supervisor. */
  readonly methods: Methods;
  /** One line of its error stream. */
  readonly onLine: (line: string) => void;
}

/** Lines kept to tell why a process ended. */
const LAST_LINES = 20;

/** A serve process as the supervisor sees it: orders out, facts back, and how it ended. */
export class ServeProcess {
  readonly index: number;
  readonly #child: ChildProcess;
  readonly #peer: IpcPeer;
  readonly #lastLines: string[] = [];
  /** Resolves with the reason when the process has ended; never rejects. */
  readonly ended: Promise<string>;

  constructor({ entry, index, methods, onLine }: ServeProcessOptions) {
    this.index = index;
    this.#child = fork(entry, [], {
      serialization: "advanced",
      stdio: ["ignore", "inherit", "pipe", "ipc"],
    });
    this.#peer = new IpcPeer(this.#child, methods);
    const { stderr } = this.#child;
    if (stderr !== null) {
      createInterface({ input: stderr }).on("line", (line) => {
        this.#lastLines.push(line);
        if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
        onLine(line);
      });
    }
    this.ended = new Promise((resolve) => {
      // "close", not "exit": the last lines of its error stream tell why it ended.
      this.#child.once("close", (code, signal) => resolve(this.#explainEnd(code, signal)));
      this.#child.once("error", (error) => resolve(error.message));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  start(order: StartOrder): Promise<StartReport> {
    return this.#peer.call("start", order);
  }

  apply(config: Config): Promise<readonly ModelStatus[]> {
    return this.#peer.call("apply", config);
  }

  metrics(): Promise<readonly MetricSnapshot[]> {
    return this.#peer.call("metrics", {});
  }

  repository(order: RepositoryOrder): Promise<void> {
    return this.#peer.call("repository", order);
  }

  /** Asks it to finish its requests and end. */
  stop(lameDuckMs: number): void {
    this.#peer.call("stop", lameDuckMs).catch(() => undefined); // it may end before it answers
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #explainEnd(code: number | null, signal: NodeJS.Signals | null): string {
    const text = this.#lastLines.join("\n");
    if (text.includes("heap out of memory")) return "out of memory (JavaScript heap)";
    if (signal === "SIGKILL") return "killed by SIGKILL, by the system when memory is short";
    if (signal !== null) return `killed by ${signal}`;
    return `exit code ${code ?? "unknown"}`;
  }
}
