import { expect, test } from "vitest";
import { Cancellation } from "../cancellation.ts";
import { MillraceError } from "../errors.ts";
import { TestClock } from "../test-clock.ts";
import { TestRandom } from "../test-random.ts";
import { buildParallel } from "./build-parallel.ts";
import { buildSequence, type SequenceMember } from "./build-sequence.ts";
import { runStep } from "./run-step.ts";
import type { StepTrace } from "./step-trace.ts";
import type { Step } from "./step.ts";
import { mustBuild, rowsTensor, settle, testContext, TestStep } from "./test-step.ts";

/** A failure prints its seed; `MILLRACE_TEST_SEED=7 npx vitest run graph.property` runs that one alone. */
const CHOSEN = process.env["MILLRACE_TEST_SEED"];
const SEEDS =
  CHOSEN === undefined ? Array.from({ length: 150 }, (_, i) => i + 1) : [Number(CHOSEN)];

const INPUTS = [rowsTensor("x", [1, 2])];
const DEPTH_MAX = 3;
/** Limits end between the durations of steps, which are whole. */
const TICK_MS = 0.5;

/** A step, and what running it should be like. */
interface Tree {
  readonly step: Step;
  readonly tookMs: number;
  readonly isFailing: boolean;
  readonly leaves: readonly TestStep[];
}

interface World {
  readonly random: TestRandom;
  /** One of so many leaves fails; Infinity for none. */
  readonly failsOneIn: number;
  count: number;
}

function leaf(world: World): Tree {
  const { random, failsOneIn } = world;
  const tookMs = random.below(20);
  const isFailing = failsOneIn !== Infinity && random.below(failsOneIn) === 0;
  const step = new TestStep(`leaf${world.count++}`, {
    tookMs,
    ...(isFailing && { error: new MillraceError("MODEL_FAILED", "Cannot predict: broken") }),
  });
  return { step, tookMs, isFailing, leaves: [step] };
}

function tree(world: World, depth = 0): Tree {
  const kind = depth === DEPTH_MAX ? "leaf" : world.random.pick(["leaf", "sequence", "parallel"]);
  if (kind === "leaf") return leaf(world);
  const parts = Array.from({ length: 1 + world.random.below(3) }, () => tree(world, depth + 1));
  return kind === "sequence" ? sequence(world, parts) : parallel(world, parts);
}

/** The sum up to the step that fails; a step that is skipped takes its time too. */
function sequence(world: World, parts: readonly Tree[]): Tree {
  let tookMs = 0;
  let isFailing = false;
  const members = parts.map(({ step, ...part }): SequenceMember => {
    const onError = world.random.pick<"fail" | "skip">(["fail", "skip"]);
    if (!isFailing) {
      tookMs += part.tookMs;
      isFailing = part.isFailing && onError === "fail";
    }
    return { step, onError };
  });
  const step = mustBuild(buildSequence({ name: `sequence${world.count++}`, members }));
  return { step, tookMs, isFailing, leaves: parts.flatMap(({ leaves }) => leaves) };
}

/** The slowest, or the first that fails; a limit cuts it. */
function parallel(world: World, parts: readonly Tree[]): Tree {
  const onError = world.random.pick<"fail" | "omit">(["fail", "omit"]);
  const timeoutMs = world.random.pick([undefined, 5 + world.random.below(30) + TICK_MS]);
  const limitMs = timeoutMs ?? Infinity;
  const ends = parts.map(({ tookMs, isFailing }) => ({
    tookMs: Math.min(tookMs, limitMs),
    isFailing: isFailing || tookMs >= limitMs,
  }));
  const firstFailureMs = Math.min(
    ...ends.map(({ tookMs, isFailing }) => (isFailing ? tookMs : Infinity)),
  );
  const slowestMs = Math.max(...ends.map(({ tookMs }) => tookMs));
  const isBroken = onError === "fail" && firstFailureMs !== Infinity;
  const step = mustBuild(
    buildParallel({
      name: `parallel${world.count++}`,
      branches: parts.map((part, i) => ({ name: `b${i}`, step: part.step })),
      combine: "mean",
      onError,
      timeoutMs,
    }),
  );
  return {
    step,
    tookMs: isBroken ? firstFailureMs : slowestMs,
    isFailing: isBroken || ends.every(({ isFailing }) => isFailing),
    leaves: parts.flatMap(({ leaves }) => leaves),
  };
}

function runningCount(trace: StepTrace): number {
  const own = trace.status === "running" ? 1 : 0;
  return trace.children.reduce((sum, child) => sum + runningCount(child), own);
}

test.each(SEEDS)(
  "a random graph takes the time of its slowest path and ends as it should, seed %i",
  async (seed) => {
    const random = new TestRandom(seed);
    const world: World = { random, failsOneIn: random.pick([Infinity, 3, 8]), count: 0 };
    const { step, tookMs, isFailing, leaves } = tree(world);
    const clock = new TestClock();
    const cancellation = new Cancellation();
    const context = testContext(clock, { cancellation });
    const run = settle(clock, runStep(step, INPUTS, context, context.trace), TICK_MS);
    if (isFailing) await expect(run).rejects.toBeInstanceOf(MillraceError);
    else expect((await run).outputs).toHaveLength(1);
    expect(context.trace.tookMs).toBe(tookMs);
    expect(runningCount(context.trace)).toBe(0);
    expect([clock.timerCount, cancellation.watcherCount]).toEqual([0, 0]);
    expect(Math.max(...leaves.map(({ runCount }) => runCount))).toBeLessThanOrEqual(1);
  },
);

test.each(SEEDS.slice(0, 50))(
  "a random graph stops everywhere when the client goes, seed %i",
  async (seed) => {
    const random = new TestRandom(seed);
    const { step, tookMs, leaves } = tree({ random, failsOneIn: Infinity, count: 0 });
    const clock = new TestClock();
    const cancellation = new Cancellation();
    const context = testContext(clock, { cancellation });
    const goneAtMs = TICK_MS * Math.ceil(1 + (tookMs / TICK_MS) * random.next());
    const reason = new Error("gone");
    clock.schedule(goneAtMs, () => cancellation.cancel(reason));
    const run = settle(clock, runStep(step, INPUTS, context, context.trace), TICK_MS);
    const error = await run.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error !== reason) {
      // A limit of a parallel may have ended it before.
      expect(context.trace.tookMs).toBeLessThanOrEqual(goneAtMs);
      return;
    }
    expect(context.trace.tookMs).toBe(goneAtMs);
    const startedCount = leaves.reduce((sum, { runCount }) => sum + runCount, 0);
    clock.advanceMs(1_000);
    await Promise.resolve();
    expect(leaves.reduce((sum, { runCount }) => sum + runCount, 0)).toBe(startedCount);
    expect([clock.timerCount, cancellation.watcherCount]).toEqual([0, 0]);
    expect(runningCount(context.trace)).toBe(0);
  },
);
