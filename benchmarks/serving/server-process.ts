import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../machine.ts";
import { post } from "./http-post.ts";
import type { Command, Peer, Ports } from "./peers/peer.ts";
import { killTree } from "./process-tree.ts";
import { onCore, SERVER_CORE } from "./run-process.ts";
import type { Case, Workload } from "./workloads.ts";

const START_MS_MAX = 60_000;
const STOP_MS_MAX = 10_000;
/** Longer than a server may drain. */
const END_MS_MAX = 45_000;
const POLL_MS = 5;
/** What is kept of a server's output, to be shown when it does not start. */
const OUTPUT_CHARS_MAX = 2 ** 16;

/** A server under test. What this harness started it also ends, by pid, however the harness itself ends. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #killAll = (): void => killTree(this.pid);
  readonly ports: Ports;
  /** From `spawn` to the first answer 200 to a request for a prediction. */
  readonly startMs: number;

  private constructor(child: ChildProcess, ports: Ports, startMs: number) {
    this.#child = child;
    this.ports = ports;
    this.startMs = startMs;
    process.once("exit", this.#killAll);
  }

  /** Starts a peer on the server's core. @throws with what the server printed when it is not ready in time. */
  static async start(peer: Peer, workload: Workload): Promise<ServerProcess> {
    const ports = await freePorts();
    const command = peer.command(workload, ports);
    const request = peer.request(workload, workload.cases[0] as Case);
    const isReady = async (): Promise<boolean> => (await post(ports.http, request)).status === 200;
    return ServerProcess.startCommand(command, ports, isReady);
  }

  /** Starts any command on the server's core. @param isReady may throw: it is asked again. */
  static async startCommand(
    { words, env }: Command,
    ports: Ports,
    isReady: () => Promise<boolean>,
  ): Promise<ServerProcess> {
    const [file = "", ...rest] = onCore(SERVER_CORE, words);
    const startMs = performance.now();
    const child = spawn(file, rest, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    const read = (chunk: Buffer): void => {
      if (output.length < OUTPUT_CHARS_MAX) output += chunk.toString();
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("error", (error) => (output += error.message)); // "exitCode" stays null, so the wait runs out
    const server = new ServerProcess(child, ports, NaN);
    try {
      while (!(await isReady().catch(() => false))) {
        if (child.exitCode !== null || child.pid === undefined) throw new Error("it ended");
        if (performance.now() - startMs > START_MS_MAX) throw new Error("it is not ready");
        await sleep(POLL_MS);
      }
    } catch (error) {
      await server.stop();
      throw new Error(`Cannot start ${words.join(" ")}: ${(error as Error).message}\n${output}`);
    }
    process.off("exit", server.#killAll);
    return new ServerProcess(child, ports, performance.now() - startMs);
  }

  /** Root of the tree of its processes. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until it has ended by itself; one that does not is killed. */
  async ended(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const timer = setTimeout(this.#killAll, END_MS_MAX);
    await once(this.#child, "exit");
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    process.off("exit", this.#killAll);
    const { exitCode, signalCode, pid } = this.#child;
    if (exitCode !== null || signalCode !== null || pid === undefined) return;
    const ended = once(this.#child, "exit");
    const timer = setTimeout(this.#killAll, STOP_MS_MAX);
    this.#child.kill("SIGINT");
    await ended;
    clearTimeout(timer);
  }
}

/** Ports that nobody listened on a moment ago. */
export async function freePorts(): Promise<Ports> {
  const servers = [createServer(), createServer(), createServer()];
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    ports.push((server.address() as AddressInfo).port);
  }
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  const [http = 0, grpc = 0, metrics = 0] = ports;
  return { http, grpc, metrics };
}
