import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import {
  ThreadFunctions,
  type ThreadFunctionsOptions,
} from "../../packages/millrace/src/adapters/functions-thread/functions-thread.ts";
import type { Logger } from "../../packages/millrace/src/ports/logger.ts";
import type {
  FunctionOptions,
  SourceStep,
} from "../../packages/millrace/src/ports/step-sources.ts";

const ENTRY = new URL("../../packages/millrace/src/function-thread-entry.ts", import.meta.url);

/** A log that keeps its lines, as `level: message`. */
export class LineLog implements Logger {
  readonly lines: string[] = [];
  readonly #waiters = new Set<() => void>();

  debug(): void {}
  info(_fields: object, message: string): void {
    this.#add(`info: ${message}`);
  }
  warn(_fields: object, message: string): void {
    this.#add(`warn: ${message}`);
  }
  error(_fields: object, message: string): void {
    this.#add(`error: ${message}`);
  }

  /** Waits for a line that contains the text. */
  async until(text: string): Promise<void> {
    while (!this.lines.some((line) => line.includes(text))) {
      await new Promise<void>((resolve) => this.#waiters.add(resolve));
    }
  }

  #add(line: string): void {
    this.lines.push(line);
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }
}

/** Functions of a test: files in a folder of its own, and real threads, which all end with it. */
export class TestFunctions implements AsyncDisposable {
  readonly log = new LineLog();
  readonly functions: ThreadFunctions;
  readonly #folder = mkdtempSync(join(tmpdir(), "millrace-functions-"));
  readonly #steps: { close(): Promise<void> }[] = [];

  constructor(options: Partial<ThreadFunctionsOptions> = {}) {
    const loggerFor = (): Logger => this.log;
    this.functions = new ThreadFunctions({
      entry: ENTRY,
      clock: systemClock,
      loggerFor,
      ...options,
    });
  }

  file(name: string, source: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, source);
    return path;
  }

  /** A function step of a file. */
  async load(
    path: string,
    options: Partial<FunctionOptions> = {},
    kind: "function" | "load" = "function",
  ): Promise<SourceStep> {
    const all = { path, timeoutMs: 10_000, threads: 1, queue: 10, ...options };
    const source = await this.functions[kind]("mine", all);
    this.#steps.push(source);
    return source;
  }

  /** A step `x` FP32 [-1] → `y` FP32 [-1] whose function has this body; `x` is the array. */
  step(body: string, options: Partial<FunctionOptions> = {}, head = ""): Promise<SourceStep> {
    const spec = '{ datatype: "FP32", shape: [-1] }';
    const source = `${head}
      export default { inputs: { x: ${spec} }, outputs: { y: ${spec} },
        async run({ x: { shape, data: x } }, context) { ${body} } };`;
    return this.load(this.file(`step-${this.#steps.length}.mjs`, source), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#steps.map((step) => step.close()));
    rmSync(this.#folder, { recursive: true });
  }
}
