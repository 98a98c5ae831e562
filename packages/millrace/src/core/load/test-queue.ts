import type { TestRandom } from "../test-random.ts";
import type { CapacityStep, StepOutcome } from "./capacity.ts";
import type { RequestResult } from "./request-result.ts";
import { LoadTally } from "./load-tally.ts";
import { judgeObjective, type Objective } from "./objective.ts";
import { stepOutcome, type StepReport } from "./step-outcome.ts";

/** A service as queueing theory has it: one line, first come first served, servers that are alike. */
export interface TestQueue {
  readonly servers: number;
  readonly serviceMs: number;
  readonly service: "exponential" | "constant";
  /** Of arrivals in the open loop. */
  readonly spacing: "poisson" | "constant";
  /** Requests in the service at a time, those that wait included; one more is refused at once. */
  readonly placesMax?: number;
}

interface Load {
  /** Starts a second; 0 is one client that asks again when it is answered. */
  readonly rate: number;
  readonly warmupMs: number;
  readonly durationMs: number;
}

/** Serves a load in no time. @param ended gets each request, in the order of arrivals, from the warm-up on. */
export function serve(
  queue: TestQueue,
  { rate, warmupMs, durationMs }: Load,
  random: TestRandom,
  ended: (atMs: number, doneMs: number, isRefused: boolean) => void,
): void {
  const freeAtMs = new Float64Array(queue.servers).fill(-Infinity);
  let inside: number[] = [];
  for (let atMs = -warmupMs; atMs < durationMs;) {
    inside = queue.placesMax === undefined ? inside : inside.filter((doneMs) => doneMs > atMs);
    let doneMs = atMs;
    const isRefused = inside.length >= (queue.placesMax ?? Infinity);
    if (!isRefused) {
      const server = earliest(freeAtMs);
      const takesMs =
        queue.service === "constant" ? queue.serviceMs : exponential(queue.serviceMs, random);
      doneMs = Math.max(atMs, freeAtMs[server] as number) + takesMs;
      freeAtMs[server] = doneMs;
      if (queue.placesMax !== undefined) inside.push(doneMs);
    }
    ended(atMs, doneMs, isRefused);
    if (rate === 0) atMs = isRefused ? atMs + queue.serviceMs : doneMs;
    else atMs += queue.spacing === "constant" ? 1000 / rate : exponential(1000 / rate, random);
  }
}

export interface TestJudgement {
  readonly objectives: readonly Objective[];
  /** Starts a second; above them the generator is late. */
  readonly generatorRateMax?: number;
}

/** What comes of a step of a capacity search. */
export function simulateStep(
  step: CapacityStep,
  queue: TestQueue,
  random: TestRandom,
  { objectives, generatorRateMax = Infinity }: TestJudgement,
): StepOutcome {
  const isLate = step.rate > generatorRateMax;
  const lagMs = isLate ? 1000 : 0;
  const tally = new LoadTally(0);
  let sent = 0;
  serve(queue, step, random, (atMs, doneMs, isRefused) => {
    if (atMs < 0) return;
    tally.add({ ...resultOf(atMs, doneMs + lagMs, isRefused), seq: sent, sentMs: atMs + lagMs });
    sent += 1;
  });
  const tallied = tally.report();
  const starts = { due: sent, sent, dropped: 0, unanswered: 0 };
  const millrace = { ...tallied.millrace, starts, duration_ms: step.durationMs };
  const report: StepReport = {
    errors: tallied.errors,
    millrace: {
      ...millrace,
      objectives: objectives.map((objective) =>
        judgeObjective(objective, { ...tallied, millrace }),
      ),
      problems: isLate ? [{ code: "lag", text: "Requests were sent late" }] : [],
    },
  };
  return stepOutcome(step, report, { objectives, tookMs: step.warmupMs + step.durationMs });
}

function resultOf(atMs: number, doneMs: number, isRefused: boolean): RequestResult {
  return {
    seq: 0,
    intendedMs: atMs,
    sentMs: atMs,
    firstByteMs: doneMs,
    doneMs,
    code: isRefused ? 503 : 200,
    bytesOut: 0,
    bytesIn: 0,
    error: isRefused ? "503 Service Unavailable" : "",
  };
}

function earliest(timesMs: Float64Array): number {
  let least = 0;
  for (let i = 1; i < timesMs.length; i++) {
    if ((timesMs[i] as number) < (timesMs[least] as number)) least = i;
  }
  return least;
}

function exponential(mean: number, random: TestRandom): number {
  return -mean * Math.log(1 - random.next());
}
