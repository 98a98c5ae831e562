import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** Ports that others take between the look and the start, before it gives up. */
const ATTEMPTS_MAX = 5;

/** A real Redis on 127.0.0.1 that writes nothing and ends with the test. */
export class TestRedis {
  readonly port: number;
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: ChildProcess;

  /** @param args further ones of redis-server, as `--requirepass secret`. */
  static async start(...args: string[]): Promise<TestRedis> {
    const folder = await mkdtemp(join(tmpdir(), "millrace-redis-"));
    for (let attempt = 1; ; attempt++) {
      const port = await freePort();
      try {
        return new TestRedis(await launch(port, folder, args), port, folder, args);
      } catch (error) {
        if (attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  private constructor(
    started: ChildProcess,
    port: number,
    folder: string,
    args: readonly string[],
  ) {
    this.#process = started;
    this.port = port;
    this.#folder = folder;
    this.#args = args;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** It ends at once, with all it had, as a machine does that fails. */
  async kill(): Promise<void> {
    await end(this.#process, "SIGKILL");
  }

  /** Starts it again, empty, at the same address. */
  async restart(): Promise<void> {
    await this.kill();
    this.#process = await launch(this.port, this.#folder, this.#args);
  }

  /** It keeps its connections and answers nothing more, until `resume`. */
  suspend(): void {
    this.#process.kill("SIGSTOP");
  }

  resume(): void {
    this.#process.kill("SIGCONT");
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

async function launch(
  port: number,
  folder: string,
  args: readonly string[],
): Promise<ChildProcess> {
  const own = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  const unsaved = ["--save", "", "--appendonly", "no"];
  const started = spawn("redis-server", [...own, ...unsaved, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let log = "";
  const ready = new Promise<void>((resolve, reject) => {
    started.stdout.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (/ready to accept connections/i.test(log)) resolve();
    });
    started.once("error", reject);
    started.once("exit", () =>
      reject(new Error(`redis-server ended before it was ready:\n${log}`)),
    );
  });
  await ready;
  return started;
}

async function end(started: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (started.exitCode !== null || started.signalCode !== null) return;
  const ended = once(started, "exit");
  started.kill(signal);
  await ended;
}
