import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../ports/logger.ts";
import { OutputLines } from "./output-lines.ts";

export interface ProgramStart {
  /** Name of the model, for the log. */
  readonly model: string;
  /** The executable, then its arguments. */
  readonly command: readonly string[];
  /** All of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly log: Logger;
}

/** How a program came to its end. */
export interface ProgramEnd {
  /** Null when a signal ended it, or it did not start. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it did not start. */
  readonly error: Error | undefined;
  /** The last line of its error output. */
  readonly lastLine: string | undefined;
}

/** Time to end after SIGTERM; then it is killed. */
const STOP_MS = 5_000;

/** Longest wait for the last output of a program that has ended: a daemon it left behind may hold the pipe. */
const LAST_OUTPUT_MS = 500;

/**
 * A program that runs, as the leader of a process group of its own: what it starts ends with it, and a Ctrl-C in the
 * terminal reaches the server alone, which drains first. Its standard input is a pipe that closes when the server ends,
 * however it ends. It does not keep the server's process alive.
 */
export class ProgramProcess {
  /** Never rejects; comes when the whole group has been ended. */
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  #hasEnded = false;
  readonly #errorLines: OutputLines | undefined;
  #stopping: Promise<void> | undefined;

  constructor(start: ProgramStart) {
    const { command, env, folder } = start;
    const [executable = "", ...words] = command;
    this.#child = spawn(executable, words, {
      cwd: folder,
      env: { ...env },
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#readOutput("stdout", start);
    this.#errorLines = this.#readOutput("stderr", start);
    this.ended = this.#waitForEnd();
    this.#child.stdin?.on("error", () => undefined); // it may close its input
    this.#setIdle();
  }

  /** Also the number of its group; undefined when it did not start. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks it to end, and kills it when it does not. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#child.ref();
    this.#signal("SIGTERM");
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.kill(), STOP_MS);
    await this.ended;
    clearTimeout(timer);
  }

  /** Kills the group at once. */
  kill(): void {
    this.#signal("SIGKILL");
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    try {
      process.kill(-pid, signal);
    } catch {
      return; // nothing of it is left
    }
  }

  #setIdle(): void {
    const { stdin, stdout, stderr } = this.#child;
    this.#child.unref();
    for (const stream of [stdin, stdout, stderr]) {
      // Pipes are sockets, which the types do not say.
      if (stream !== null && "unref" in stream) (stream as unknown as { unref(): void }).unref();
    }
  }

  /** @returns the lines of one output; both go to the log. */
  #readOutput(name: "stdout" | "stderr", { model, log }: ProgramStart): OutputLines | undefined {
    const stream = this.#child[name];
    if (stream === null) return undefined;
    const fields = { model, programPid: this.#child.pid, stream: name };
    return new OutputLines(stream, {
      onLine: (line) => log.info(fields, line),
      onLeftOut: (lineCount) =>
        log.warn({ ...fields, lineCount }, `${lineCount} lines of the program were left out`),
    });
  }

  async #waitForEnd(): Promise<ProgramEnd> {
    const child = this.#child;
    const closed = once(child, "close").catch(() => undefined);
    const { promise, resolve } = Promise.withResolvers<Omit<ProgramEnd, "lastLine">>();
    child.once("exit", (exitCode, signal) => resolve({ exitCode, signal, error: undefined }));
    child.on("error", (error) => {
      if (child.pid === undefined) resolve({ exitCode: null, signal: null, error });
    });
    const end = await promise;
    this.kill(); // what it has started
    this.#hasEnded = true;
    if (end.error === undefined) {
      await Promise.race([closed, delay(LAST_OUTPUT_MS, undefined, { ref: false })]);
    }
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.stdin?.destroy();
    return { ...end, lastLine: this.#errorLines?.lastLine };
  }
}

/** @returns how a program ended, to stand behind "its program". */
export function describeEnd({ exitCode, signal, error, lastLine }: ProgramEnd): string {
  if (error !== undefined) return `cannot be started: ${error.message}`;
  const how = signal === null ? `exited with code ${String(exitCode)}` : `was ended by ${signal}`;
  return lastLine === undefined ? how : `${how}: ${lastLine}`;
}
