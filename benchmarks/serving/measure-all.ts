import { measureGrpc } from "./measure-grpc.ts";
import { measureLatency } from "./measure-latency.ts";
import { measureMemory } from "./measure-memory.ts";
import { CLIENT_RULES, measureOverload, type ClientRule } from "./measure-overload.ts";
import { measureReloads, measureRollingRestarts } from "./measure-reload.ts";
import { measureRuntime } from "./measure-runtime.ts";
import { measureStart } from "./measure-start.ts";
import { measureThroughput } from "./measure-throughput.ts";
import { noMeasurements, type Measurements } from "./measurements.ts";
import type { Peer } from "./peers/peer.ts";
import { GRPC_IN_FLIGHT, HALF, IMAGE_CONNECTIONS, SUSTAINED_RATE, type Plan } from "./plan.ts";
import { ScratchFolder } from "./scratch-folder.ts";
import { withTarget, type Target } from "./target.ts";
import { loadWorkload, type Workload } from "./workloads.ts";

/** What can be asked for with `--only`, beside the names of the models. */
export const QUESTIONS = [
  "runtime",
  "throughput",
  "latency",
  "half",
  "sustained",
  "overload",
  "grpc",
  "memory",
  "start",
  "reload",
] as const;

/** What is asked of which peers. */
export interface Scope {
  readonly peers: readonly Peer[];
  readonly models: ReadonlySet<string>;
  readonly questions: ReadonlySet<string>;
}

const RUNTIME_BATCHES: Readonly<Record<string, readonly number[]>> = {
  iris: [1, 64],
  mlp512: [1, 64],
  mlp1024: [1, 64],
  conv: [1],
};

/**
 * Every repetition visits every server, so that a slow stretch of the machine meets all of them; only one runs at a
 * time, because some are busy while they wait.
 */
export class Benchmark {
  readonly #plan: Plan;
  readonly #scope: Scope;
  readonly #scratch = new ScratchFolder();
  readonly #found: Measurements = noMeasurements();

  constructor(plan: Plan, scope: Scope) {
    this.#plan = plan;
    this.#scope = scope;
  }

  async run(): Promise<Measurements> {
    const workloads = [...this.#scope.models].map((name) => loadWorkload(name as Workload["name"]));
    for (let repetition = 0; repetition < this.#plan.repetitions; repetition++) {
      for (const workload of workloads) {
        await this.#runtime(workload, repetition);
        for (const peer of this.#scope.peers) await this.#visit(peer, workload, repetition);
      }
    }
    for (const workload of workloads.filter(({ name }) => name === "iris")) {
      for (const peer of this.#scope.peers) await this.#starts(peer, workload);
      await this.#reloads(workload);
    }
    return this.#found;
  }

  /** A server that cannot be measured leaves a gap with its reason; the others go on. */
  async #visit(peer: Peer, workload: Workload, repetition: number): Promise<void> {
    if (peer.kind === "extra" && workload.name !== "iris") return;
    const { warmupMs } = this.#plan;
    progress(`${workload.name}, ${peer.label}, repetition ${repetition + 1}`);
    try {
      const visit = { repetition, warmupMs, scratch: this.#scratch };
      await withTarget(peer, workload, visit, (target) => this.#measure(target));
    } catch (error) {
      const reason = (error as Error).message.trim().slice(0, REASON_CHARS_MAX);
      this.#found.missing.push({ server: peer.name, model: workload.name, reason });
      progress(`  ${reason}`);
    }
  }

  async #measure(target: Target): Promise<void> {
    const { peer, workload } = target;
    const capacity = await this.#throughput(target);
    if (workload.name === "iris") {
      await this.#rates(target, capacity);
      if (this.#wants("memory")) this.#found.memory.push(measureMemory(target));
    }
    if (peer.kind === "extra") return;
    if (workload.name === "mlp1024") {
      if (this.#wants("overload")) await this.#overload(target, capacity);
      return;
    }
    const isHttp = peer.grpc !== "for conv" || workload.name !== "conv";
    if (this.#wants("half") && isHttp) {
      this.#found.half.push(await measureLatency(target, HALF * capacity, this.#plan.latency));
    }
    if (workload.name !== "iris") return;
    if (this.#wants("grpc") && peer.grpc !== "no") {
      const row = await measureGrpc(target, GRPC_IN_FLIGHT, this.#plan.throughputMs);
      this.#found.grpc.push(row);
    }
    if (this.#wants("overload")) await this.#overload(target, capacity);
  }

  /** @returns answers a second at the most connections. */
  async #throughput(target: Target): Promise<number> {
    const all = target.workload.name === "conv" ? [IMAGE_CONNECTIONS] : this.#plan.connections;
    // Other questions need the capacity, and it has to come from the same minute.
    const isWhole = this.#wants("throughput") && target.workload.name !== "mlp1024";
    const connections = isWhole ? all : all.slice(-1);
    let last = NaN;
    for (const count of connections) {
      const row = await measureThroughput(target, count, this.#plan.throughputMs);
      this.#found.throughput.push(row);
      last = row.answersPerSecond;
    }
    return last;
  }

  async #rates(target: Target, capacity: number): Promise<void> {
    const { rates, latency, sustained } = this.#plan;
    if (this.#wants("latency")) {
      for (const rate of rates) {
        this.#found.latency.push(await measureLatency(target, rate, latency));
      }
    }
    // One run is long enough, and a server that cannot hold the rate would only fill its queue.
    const isHeld = capacity > SUSTAINED_RATE && target.peer.kind === "main";
    if (this.#wants("sustained") && target.repetition === 0 && isHeld) {
      this.#found.sustained.push(await measureLatency(target, SUSTAINED_RATE, sustained));
    }
  }

  async #overload(target: Target, capacity: number): Promise<void> {
    for (const rule of Object.keys(CLIENT_RULES) as ClientRule[]) {
      const row = await measureOverload(target, rule, capacity, this.#plan.overload);
      this.#found.overload.push(row);
    }
  }

  async #runtime(workload: Workload, repetition: number): Promise<void> {
    if (!this.#wants("runtime") && !this.#wants("half")) return;
    for (const batch of RUNTIME_BATCHES[workload.name] ?? []) {
      const { runtimeMs } = this.#plan;
      this.#found.runtime.push(await measureRuntime(workload, batch, repetition, runtimeMs));
    }
  }

  async #starts(peer: Peer, workload: Workload): Promise<void> {
    if (!this.#wants("start") || peer.kind === "extra") return;
    progress(`start, ${peer.label}`);
    try {
      this.#found.start.push(await measureStart(peer, workload, this.#plan.starts));
    } catch (error) {
      progress(`  ${(error as Error).message.slice(0, REASON_CHARS_MAX)}`);
    }
  }

  async #reloads(workload: Workload): Promise<void> {
    if (!this.#wants("reload") || !this.#scope.peers.some(({ name }) => name === "millrace"))
      return;
    progress("reloads and rolling restarts, Millrace");
    const { reloads, restarts } = this.#plan;
    this.#found.reload.push(await measureReloads(workload, reloads, this.#scratch));
    this.#found.reload.push(await measureRollingRestarts(workload, restarts));
  }

  #wants(question: string): boolean {
    return this.#scope.questions.has(question);
  }
}

const REASON_CHARS_MAX = 500;

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}
