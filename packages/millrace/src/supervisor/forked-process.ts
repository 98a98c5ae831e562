import { fork, type ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { IpcPeer, type Methods } from "./ipc-peer.ts";

export interface ForkOptions {
  /** Module the process runs. */
  readonly entry: string;
  /** What the process may ask of the supervisor. */
  readonly methods: Methods;
  /** One line of its error stream. */
  readonly onLine: (line: string) => void;
}

/** Lines kept to tell why a process ended. */
const LAST_LINES = 20;

/** A process of ours as the supervisor sees it: orders out, facts back, and how it ended. */
export class ForkedProcess {
  readonly #child: ChildProcess;
  readonly #peer: IpcPeer;
  readonly #lastLines: string[] = [];
  /** Resolves with the reason when the process has ended; never rejects. */
  readonly ended: Promise<string>;

  constructor({ entry, methods, onLine }: ForkOptions) {
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

  /** @throws what the method threw there, ChannelClosedError when the process ends before it answers. */
  protected call<Result>(method: string, params: unknown): Promise<Result> {
    return this.#peer.call(method, params);
  }

  /** The program may end while it runs; then it ends too. */
  unref(): void {
    const stderr = this.#child.stderr as Socket | null;
    for (const handle of [this.#child, this.#child.channel, stderr]) handle?.unref();
  }

  /** From now on the program waits for its end. */
  ref(): void {
    const stderr = this.#child.stderr as Socket | null;
    for (const handle of [this.#child, this.#child.channel, stderr]) handle?.ref();
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
