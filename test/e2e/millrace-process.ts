import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";

export const ROOT = join(import.meta.dirname, "../..");
const BIN = join(ROOT, "packages/millrace/bin/millrace");

/** Longest time a process may take to start or to end before a test gives up on it. */
const PATIENCE_MS = 20_000;

/** Longest time a command that ends by itself may take, where nothing else is said. */
const RUN_MS_MAX = 10_000;

/** Time between two looks of `eventually`. */
const LOOK_MS = 15;

const FREE_PORTS = ["http", "grpc", "metrics", "control"].flatMap((name) => [
  `--server.${name}-port`,
  "0",
]);

export interface StartFacts {
  readonly http: string;
  /** `127.0.0.1:8001` */
  readonly grpc?: string;
  readonly metrics?: string;
  /** Only under `up`. */
  readonly control?: string;
  readonly processes: number;
  readonly models: readonly {
    readonly name: string;
    readonly isReady: boolean;
    readonly versions: readonly number[];
    readonly problem?: string;
  }[];
}

export interface LogLine {
  readonly level: string;
  readonly logger: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Ports it takes; by default free ones. */
  readonly ports?: readonly string[];
}

/**
 * A real `millrace` process that a test talks to over its sockets, its signals and its output. It leads a
 * process group of its own, so that nothing of it outlives the test: `await using server = …`.
 */
export class MillraceProcess implements AsyncDisposable {
  readonly facts: StartFacts;
  readonly #child: ChildProcess;
  readonly #output: Output;
  readonly #closed: Promise<number | null>;

  private constructor(child: ChildProcess, facts: StartFacts, output: Output) {
    this.#child = child;
    this.#closed = once(child, "close").then(([code]) => code as number | null);
    this.facts = facts;
    this.#output = output;
  }

  /**
   * Starts `millrace <words>` on free ports and waits for the line with its addresses.
   * @throws with everything it printed when it ends first.
   */
  static async start(
    words: readonly string[],
    options: StartOptions = {},
  ): Promise<MillraceProcess> {
    const { ports = FREE_PORTS } = options;
    const child = spawnMillrace([...words, "--json", ...ports], options);
    const output = new Output(child);
    const line = await Promise.race([
      output.stdoutLine((text) => text.startsWith("{")),
      once(child, "close").then(() => undefined),
    ]).catch((error: unknown) => {
      killGroup(child); // nobody else knows of it
      throw error;
    });
    if (line === undefined) {
      killGroup(child);
      throw new Error(`millrace ended:\n${output.text()}`);
    }
    return new MillraceProcess(child, JSON.parse(line) as StartFacts, output);
  }

  get url(): string {
    return this.facts.http;
  }

  /** Everything the process printed so far, both streams. */
  get printed(): string {
    return this.#output.text();
  }

  /** Every line of the error stream, as printed. */
  get errorLines(): readonly string[] {
    return this.#output.errorLines;
  }

  get logLines(): LogLine[] {
    return this.#output.logLines();
  }

  /** The process that was told to serve: the launcher's child, which under `up` is the supervisor. */
  get mainPid(): number {
    const [pid] = childPids(this.#child.pid ?? 0);
    if (pid === undefined) throw new Error(`millrace has ended:\n${this.printed}`);
    return pid;
  }

  /** Serve processes under `up`. */
  get servePids(): number[] {
    return childPids(this.mainPid, "serve-process-entry");
  }

  /** The control process under `up`; undefined while there is none. */
  get controlPid(): number | undefined {
    return childPids(this.mainPid, "control-process-entry")[0];
  }

  /** The process that ships the prediction log; none before there is something to ship. */
  get logPids(): number[] {
    return childPids(this.mainPid, "log-process-entry");
  }

  /** Waits for a log line; one that was printed already counts. */
  logLine(matches: (line: LogLine) => boolean): Promise<LogLine> {
    return this.#output.logLine(matches);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As a terminal does for Ctrl-C: every process of it gets the signal. */
  signalAll(signal: NodeJS.Signals): void {
    process.kill(-(this.#child.pid ?? 0), signal);
  }

  /** @returns the exit code; null when a signal killed it. */
  ended(): Promise<number | null> {
    return withPatience(this.#closed, "the end", this.#output);
  }

  /** Stops it as Ctrl-C does. @returns the exit code. */
  async stop(): Promise<number | null> {
    this.signal("SIGINT"); // nothing happens when it has ended
    return this.ended();
  }

  /** Kills what a test has not stopped. */
  async [Symbol.asyncDispose](): Promise<void> {
    killGroup(this.#child);
    await this.ended();
  }
}

/** @param entry part of the command line. */
function childPids(pid: number, entry = ""): number[] {
  try {
    const words = ["-ww", "-o", "pid=,args=", "--ppid", String(pid)];
    const lines = execFileSync("ps", words, { encoding: "utf8" }).trimEnd().split("\n");
    return lines.filter((line) => line.includes(entry)).map((line) => Number.parseInt(line, 10));
  } catch {
    return []; // ps exits with 1 when there is none
  }
}

/** Does it run? One that has ended and that nobody asks for its exit code does not. */
export function isRunning(pid: number): boolean {
  try {
    return !execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).includes(
      "Z",
    );
  } catch {
    return false; // ps exits with 1 when there is none
  }
}

/** Kills every process of a launcher that is left. */
function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    return; // none is left
  }
}

export interface Run {
  /** Null when it did not end by itself and was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `millrace <words>` to its end; one that does not end is killed after a while. */
export async function runMillrace(
  words: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: NodeJS.ProcessEnv;
    readonly limitMs?: number;
  } = {},
): Promise<Run> {
  const { limitMs = RUN_MS_MAX } = options;
  const child = spawnMillrace(words, options);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const timer = setTimeout(() => killGroup(child), limitMs);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, stdout, stderr };
}

/** Looks again and again until `look` finds something. @throws when it stays undefined or false for too long. */
export async function eventually<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string,
  limitMs = PATIENCE_MS,
): Promise<T> {
  for (const startMs = performance.now(); ;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() - startMs > limitMs) throw new Error(`Waited in vain for ${what}`);
    await delay(LOOK_MS);
  }
}

function spawnMillrace(
  words: readonly string[],
  { cwd = ROOT, env = {} }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): ChildProcess {
  return spawn(BIN, words, {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** A copy of an example in a folder of its own, beside a copy of the models; removed by `remove`. */
export async function copyExample(
  name: string,
): Promise<{ path: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-"));
  for (const part of [name, "models"]) {
    await cp(join(ROOT, "examples", part), join(folder, part), {
      recursive: true,
      filter: (source) => !source.includes(".millrace"),
    });
  }
  return {
    path: join(folder, name),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Collects what a process prints and lets tests wait for a line instead of for time. */
class Output {
  readonly #stdout: string[] = [];
  readonly #stderr: string[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(child: ChildProcess) {
    const collect = (stream: NodeJS.ReadableStream | null, lines: string[]): void => {
      if (stream === null) return;
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        for (const listener of this.#listeners) listener();
      });
    };
    collect(child.stdout, this.#stdout);
    collect(child.stderr, this.#stderr);
  }

  get errorLines(): readonly string[] {
    return this.#stderr;
  }

  text(): string {
    return [...this.#stdout, ...this.#stderr].join("\n");
  }

  logLines(): LogLine[] {
    return this.#stderr.flatMap((line) =>
      line.startsWith("{") ? [JSON.parse(line) as LogLine] : [],
    );
  }

  stdoutLine(matches: (line: string) => boolean): Promise<string> {
    return this.#find(() => this.#stdout.find(matches), "a line of output");
  }

  logLine(matches: (line: LogLine) => boolean): Promise<LogLine> {
    return this.#find(() => this.logLines().find(matches), "a log line");
  }

  #find<T>(find: () => T | undefined, what: string): Promise<T> {
    const found = new Promise<T>((resolve) => {
      const look = (): void => {
        const value = find();
        if (value === undefined) return;
        this.#listeners.delete(look);
        resolve(value);
      };
      this.#listeners.add(look);
      look();
    });
    return withPatience(found, what, this);
  }
}

async function withPatience<T>(promise: Promise<T>, what: string, output: Output): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Waited in vain for ${what}:\n${output.text()}`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
