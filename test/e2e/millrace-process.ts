import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const ROOT = join(import.meta.dirname, "../..");
const BIN = join(ROOT, "packages/millrace/bin/millrace");

/** Longest time a process may take to start or to end before a test gives up on it. */
const PATIENCE_MS = 30_000;

export interface StartFacts {
  readonly http: string;
  readonly metrics?: string;
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

/** A real `millrace` process that a test talks to over its sockets, its signals and its output. */
export class MillraceProcess {
  readonly facts: StartFacts;
  readonly #child: ChildProcess;
  readonly #output: Output;

  private constructor(child: ChildProcess, facts: StartFacts, output: Output) {
    this.#child = child;
    this.facts = facts;
    this.#output = output;
  }

  /**
   * Starts `millrace <words>` on free ports and waits for the line with its addresses.
   * @throws with everything it printed when it ends first.
   */
  static async start(
    words: readonly string[],
    options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<MillraceProcess> {
    const flags = ["--json", "--port", "0", "--server.metrics-port", "0"];
    const child = spawnMillrace([...words, ...flags], options);
    const output = new Output(child);
    const line = await Promise.race([
      output.stdoutLine((text) => text.startsWith("{")),
      once(child, "close").then(() => undefined),
    ]);
    if (line === undefined) throw new Error(`millrace ended:\n${output.text()}`);
    return new MillraceProcess(child, JSON.parse(line) as StartFacts, output);
  }

  get url(): string {
    return this.facts.http;
  }

  /** Everything the process printed so far, both streams. */
  get printed(): string {
    return this.#output.text();
  }

  get logLines(): LogLine[] {
    return this.#output.logLines();
  }

  /** Waits for a log line; one that was printed already counts. */
  logLine(matches: (line: LogLine) => boolean): Promise<LogLine> {
    return this.#output.logLine(matches);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** @returns the exit code. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const [code] = (await withPatience(once(this.#child, "close"), "the end", this.#output)) as [
      number | null,
    ];
    return code;
  }

  /** Stops it as Ctrl-C does. @returns the exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null) this.signal("SIGINT");
    return this.ended();
  }
}

/** Runs `millrace <words>` to its end. */
export async function runMillrace(
  words: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawnMillrace(words, options);
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

function spawnMillrace(
  words: readonly string[],
  { cwd = ROOT, env = {} }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv },
): ChildProcess {
  return spawn(BIN, words, {
    cwd,
    env: { ...process.env, ...env },
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
