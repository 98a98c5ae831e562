import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { ROOT } from "../machine.ts";
import { killTree } from "./process-tree.ts";

export interface ServerCommand {
  /** Program and arguments. */
  readonly command: readonly string[];
  /** @returns the port when this output tells it; the server is ready then. */
  readonly portIn: (output: string) => number | undefined;
}

const START_MS_MAX = 30_000;
const STOP_MS_MAX = 10_000;
const OUTPUT_MAX = 2 ** 16;

/** A server under test. What this harness started it also ends, by pid, however the harness itself ends. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #killAll = (): void => killTree(this.pid);
  readonly port: number;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    process.once("exit", this.#killAll);
  }

  /** @throws with what the server printed when it is not ready in time. */
  static async start({ command, portIn }: ServerCommand): Promise<ServerProcess> {
    const [file = "", ...words] = command;
    const child = spawn(file, words, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    try {
      const port = await new Promise<number>((resolve, reject) => {
        const read = (chunk: Buffer): void => {
          if (output.length < OUTPUT_MAX) output += chunk.toString();
          const found = portIn(output);
          if (found !== undefined) resolve(found);
        };
        child.stdout.on("data", read);
        child.stderr.on("data", read);
        child.once("error", reject);
        child.once("exit", (code) => reject(new Error(`it ended with ${code ?? "a signal"}`)));
        AbortSignal.timeout(START_MS_MAX).onabort = () => reject(new Error("it is not ready"));
      });
      return new ServerProcess(child, port);
    } catch (error) {
      if (child.pid !== undefined && child.exitCode === null) killTree(child.pid);
      throw new Error(`Cannot start ${file}: ${(error as Error).message}\n${output}`);
    }
  }

  /** Root of the tree of its processes. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async stop(): Promise<void> {
    process.off("exit", this.#killAll);
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const ended = once(this.#child, "exit");
    const timer = setTimeout(this.#killAll, STOP_MS_MAX);
    this.#child.kill("SIGINT");
    await ended;
    clearTimeout(timer);
  }
}
