import { describe, expect, test } from "vitest";
import { Cancellation } from "../cancellation.ts";
import { MillraceError } from "../errors.ts";
import { TestClock } from "../test-clock.ts";
import type { Branch, Combiner } from "./branch.ts";
import { buildParallel, type ParallelOptions } from "./build-parallel.ts";
import { buildSequence } from "./build-sequence.ts";
import { describeTrace } from "./describe-trace.ts";
import { runStep } from "./run-step.ts";
import type { StepOutcome } from "./step-outcome.ts";
import type { Step, StepContext } from "./step.ts";
import {
  allPromises,
  mustBuild,
  rowsTensor,
  settle,
  testContext,
  TestStep,
  type TestStepOptions,
} from "./test-step.ts";

const INPUTS = [rowsTensor("x", [1, 2])];
const FAILURE = new MillraceError("MODEL_FAILED", "Cannot predict: broken");
const FULL = new MillraceError("OVERLOADED", "Cannot predict: full", {
  reason: "queue",
  retryAfterSeconds: 4,
});

function branch(name: string, options: TestStepOptions = {}, more: Partial<Branch> = {}): Branch {
  return { name, step: new TestStep(`${name}-model`, options), ...more };
}

const stepOf = ({ step }: Branch): TestStep => step as TestStep;

function parallel(branches: readonly Branch[], more: Partial<ParallelOptions> = {}): Step {
  return mustBuild(
    buildParallel({ name: "branches", branches, combine: "each", onError: "omit", ...more }),
  );
}

/** As a caller brings it: says how many branches gave something. */
const COUNT: Combiner = {
  kind: "./count.ts",
  outputs: [{ name: "count", datatype: "INT32", shape: [1] }],
  prediction: 0,
  labels: undefined,
  score: 0,
  combine: (results) => [
    { name: "count", datatype: "INT32", shape: [1], data: Int32Array.of(results.length) },
  ],
};

interface Run {
  readonly clock: TestClock;
  readonly context: StepContext;
  readonly outcome: Promise<StepOutcome>;
}

function start(step: Step, overrides: Partial<StepContext> = {}): Run {
  const clock = new TestClock();
  const context = testContext(clock, overrides);
  return { clock, context, outcome: settle(clock, runStep(step, INPUTS, context, context.trace)) };
}

/** Name and status of each branch. */
const statusesOf = ({ trace }: StepContext): string[] =>
  trace.children.map(({ name, status }) => `${name} ${status}`);

const missingOf = ({ degraded }: StepOutcome): string[] =>
  degraded.map(({ kind, step, code }) => `${kind} ${step} ${code}`);

describe("a parallel", () => {
  test("runs all branches at once on the same inputs and takes as long as the slowest", async () => {
    const branches = [
      branch("a", { tookMs: 30 }),
      branch("b", { tookMs: 50 }),
      branch("c", { tookMs: 10 }),
    ];
    const { clock, context, outcome } = start(parallel(branches));
    const { outputs, degraded, observed } = await outcome;
    expect(clock.nowMs()).toBe(50);
    expect(outputs).toEqual(["a", "b", "c"].map((name) => rowsTensor(name, [1, 2])));
    expect([degraded, observed]).toEqual([[], []]);
    expect(context.trace.children.map(({ startedMs, tookMs }) => [startedMs, tookMs])).toEqual([
      [0, 30],
      [0, 50],
      [0, 10],
    ]);
    expect(describeTrace(context.trace)).toMatchObject({
      facts: { combine: "each" },
      steps: [{ name: "a", facts: { step: "a-model" } }, {}, {}],
    });
  });

  test("gives each branch the inputs that it names", async () => {
    const z = { name: "z", datatype: "FP32", shape: [-1, 2] } as const;
    const a = branch("a", { inputs: [z] });
    const b = branch("b", { inputs: [stepOf(branch("x")).inputs[0]!, z] });
    const step = parallel([a, b]);
    expect(step.inputs.map(({ name }) => name)).toEqual(["z", "x"]);
    const inputs = [rowsTensor("z", [5, 6]), rowsTensor("x", [1, 2])];
    await runStep(step, inputs, testContext(new TestClock()));
    expect(stepOf(a).received[0]).toEqual([inputs[0]]);
    expect(stepOf(b).received[0]).toEqual([inputs[1], inputs[0]]);
  });

  test("leaves nothing behind: no timer, nobody who watches", async () => {
    const cancellation = new Cancellation();
    const branches = [branch("a", { tookMs: 5 }), branch("b", { tookMs: 9, error: FAILURE })];
    const { clock, outcome } = start(parallel(branches, { timeoutMs: 100 }), { cancellation });
    await outcome;
    expect([clock.timerCount, cancellation.watcherCount]).toEqual([0, 0]);
  });

  test("keeps what its branches say is missing inside them, under their names", async () => {
    const inner = parallel([branch("p"), branch("q", { error: FULL })]);
    const { outcome } = start(parallel([branch("a"), { name: "b", step: inner }]));
    expect((await outcome).outputs.map(({ name }) => name)).toEqual(["a", "b.p"]);
    expect(missingOf(await outcome)).toEqual(["missing b.q OVERLOADED"]);
  });

  test("combines by what the caller brings", async () => {
    const { outcome } = start(
      parallel([branch("a"), branch("b"), branch("c", { error: FAILURE })], {
        combine: COUNT,
      }),
    );
    expect((await outcome).outputs[0]?.data).toEqual(Int32Array.of(2));
  });
});

describe("a branch that fails", () => {
  test("is left out and named with omit, and the others are not disturbed", async () => {
    const branches = [
      branch("a", { tookMs: 30 }),
      branch("b", { tookMs: 10, error: FULL }),
      branch("c", { tookMs: 20, error: new TypeError("bug") }),
    ];
    const { clock, context, outcome } = start(parallel(branches));
    expect((await outcome).outputs.map(({ name }) => name)).toEqual(["a"]);
    expect(missingOf(await outcome)).toEqual(["missing b OVERLOADED", "missing c INTERNAL"]);
    expect((await outcome).degraded[1]?.cause).toEqual(new TypeError("bug"));
    expect(clock.nowMs()).toBe(30);
    expect(statusesOf(context)).toEqual(["a ok", "b failed", "c failed"]);
    expect(context.trace.facts).toMatchObject({ missing: "b, c" });
    expect(stepOf(branches[0]!).cancelledCount).toBe(0);
  });

  test("fails all at once with fail, by its own name, and cancels the others", async () => {
    const branches = [
      branch("a", { tookMs: 30 }),
      branch("b", { tookMs: 10, error: FULL }),
      branch("c", { tookMs: 20, error: FAILURE, isDeaf: true }),
    ];
    const { clock, context, outcome } = start(parallel(branches, { onError: "fail" }));
    await expect(outcome).rejects.toMatchObject({ code: "OVERLOADED", step: "b-model" });
    expect(clock.nowMs()).toBe(10);
    expect(stepOf(branches[0]!).cancelledCount).toBe(1);
    expect(statusesOf(context)).toEqual(["a cancelled", "b failed", "c cancelled"]);
    clock.advanceMs(100); // the deaf one fails now, for nobody
    await allPromises();
    expect(statusesOf(context)).toEqual(["a cancelled", "b failed", "c cancelled"]);
  });

  test("fails all when all do, with their code where it is one, and names each", async () => {
    const branches = [branch("a", { error: FULL }), branch("b", { error: FULL })];
    await expect(start(parallel(branches)).outcome).rejects.toMatchObject({
      code: "OVERLOADED",
      reason: "queue",
      retryAfterSeconds: 4,
      message:
        'Cannot run step "branches": every branch failed: "a" (Cannot run step "a-model": full), "b" (Cannot run step "b-model": full)',
    });
    const mixed = [...branches, branch("c", { error: new TypeError("secret of the code") })];
    const error = await start(parallel(mixed)).outcome.catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({ code: "MODEL_FAILED", reason: undefined });
    expect((error as Error).message).toContain('"c" (internal error)');
  });

  test("is an overload when branches fail differently, one of them for that, and none by a defect", async () => {
    const late = new MillraceError("DEADLINE_EXCEEDED", "Cannot predict: late");
    const branches = [branch("a", { error: late }), branch("b", { error: FULL })];
    await expect(start(parallel(branches)).outcome).rejects.toMatchObject({
      code: "OVERLOADED",
      reason: "queue",
      retryAfterSeconds: 4,
    });
    const gone = new MillraceError("REMOTE_FAILED", "Cannot predict: gone");
    const others = [branch("a", { error: late }), branch("b", { error: gone })];
    await expect(start(parallel(others)).outcome).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      reason: undefined,
    });
  });
});

describe("the time limit of a parallel", () => {
  test("leaves a branch out that takes longer, whether it hears or not", async () => {
    const branches = [
      branch("quick", { tookMs: 10 }),
      branch("slow", { tookMs: 500 }),
      branch("deaf", { tookMs: 300, isDeaf: true, error: FAILURE }),
      branch("endless", { tookMs: Infinity, isDeaf: true }),
    ];
    const { clock, context, outcome } = start(parallel(branches, { timeoutMs: 200 }));
    expect((await outcome).outputs.map(({ name }) => name)).toEqual(["quick"]);
    expect(missingOf(await outcome)).toEqual([
      "missing slow DEADLINE_EXCEEDED",
      "missing deaf DEADLINE_EXCEEDED",
      "missing endless DEADLINE_EXCEEDED",
    ]);
    expect(clock.nowMs()).toBe(200);
    expect(branches.map((one) => stepOf(one).cancelledCount)).toEqual([0, 1, 1, 1]);
    clock.advanceMs(1_000);
    await allPromises();
    expect(statusesOf(context)).toEqual([
      "quick ok",
      "slow timeout",
      "deaf timeout",
      "endless timeout",
    ]);
    expect(context.trace.children.map(({ tookMs }) => tookMs)).toEqual([10, 200, 200, 200]);
  });

  test("is over for a branch that ends at that very moment", async () => {
    const branches = [branch("a"), branch("b", { tookMs: 200, isDeaf: true })];
    const { outcome } = start(parallel(branches, { timeoutMs: 200 }));
    expect((await outcome).outputs.map(({ name }) => name)).toEqual(["a"]);
    expect(missingOf(await outcome)).toEqual(["missing b DEADLINE_EXCEEDED"]);
  });

  test("keeps what has come too late out, however long the rest is combined", async () => {
    const late = branch("late", { tookMs: 200, isDeaf: true }, { isActive: false });
    const slowly: Combiner = {
      ...COUNT,
      combine: async (results) => {
        await allPromises();
        return COUNT.combine(results);
      },
    };
    const step = parallel([branch("a"), late], {
      combine: slowly,
      deactivated: "observe",
      timeoutMs: 200,
    });
    expect((await start(step).outcome).observed).toEqual([]);
  });

  test("fails all with fail, and says which branch took longer than what", async () => {
    const branches = [branch("a"), branch("b", { tookMs: 500 })];
    const { clock, outcome } = start(parallel(branches, { onError: "fail", timeoutMs: 200 }));
    await expect(outcome).rejects.toMatchObject({
      code: "DEADLINE_EXCEEDED",
      reason: "branch_timeout",
      message: 'Cannot run step "branches": branch "b" took longer than 200 ms',
    });
    expect([clock.nowMs(), clock.timerCount]).toEqual([200, 0]);
  });

  test("is the deadline of the branches, unless that of the request is sooner", async () => {
    for (const [deadlineAtMs, expected] of [
      [1_000, 200],
      [150, 150],
    ] as const) {
      const a = branch("a");
      await start(parallel([a], { timeoutMs: 200 }), { deadlineAtMs }).outcome;
      expect(stepOf(a).contexts[0]?.deadlineAtMs).toBe(expected);
    }
  });

  test("ends steps inside a branch, and starts none of those that follow", async () => {
    const [first, second] = [
      new TestStep("first", { tookMs: 300, isDeaf: true }),
      new TestStep("second"),
    ];
    const members = [{ step: first, onError: "skip" as const }, { step: second }];
    const chain = mustBuild(buildSequence({ name: "chain", members }));
    const { clock, outcome } = start(
      parallel([branch("a"), { name: "b", step: chain }], { timeoutMs: 200 }),
    );
    expect(missingOf(await outcome)).toEqual(["missing b DEADLINE_EXCEEDED"]);
    clock.advanceMs(1_000);
    await allPromises();
    expect([first.cancelledCount, second.runCount]).toEqual([1, 0]);
  });
});

describe("a client that goes", () => {
  test("cancels every branch and ends the parallel at once, even where a branch does not hear", async () => {
    const cancellation = new Cancellation();
    const branches = [
      branch("a", { tookMs: 50 }),
      branch("b", { tookMs: 1 }),
      branch("c", { tookMs: Infinity, isDeaf: true }),
    ];
    const clock = new TestClock();
    const context = testContext(clock, { cancellation });
    const step = parallel(branches, { timeoutMs: 200 });
    const outcome = runStep(step, INPUTS, context, context.trace);
    clock.advanceMs(10);
    await allPromises();
    const reason = new Error("gone");
    cancellation.cancel(reason);
    await expect(outcome).rejects.toBe(reason);
    expect(branches.map((one) => stepOf(one).cancelledCount)).toEqual([1, 0, 1]);
    expect(statusesOf(context)).toEqual(["a cancelled", "b ok", "c cancelled"]);
    expect([clock.timerCount, cancellation.watcherCount]).toEqual([0, 0]);
  });
});

describe("a deactivated branch", () => {
  const branches = (): Branch[] => [
    branch("a", { tookMs: 10 }),
    branch("b", { tookMs: 40 }, { isActive: false }),
  ];

  test("is not run with omit, which the trace says", async () => {
    const all = branches();
    const { clock, context, outcome } = start(parallel(all));
    expect((await outcome).outputs.map(({ name }) => name)).toEqual(["a"]);
    expect((await outcome).degraded).toEqual([]);
    expect([clock.nowMs(), stepOf(all[1]!).runCount]).toEqual([10, 0]);
    expect(statusesOf(context).toSorted()).toEqual(["a ok", "b omitted"]);
  });

  test("is run, awaited and kept beside the outputs with observe", async () => {
    const { clock, context, outcome } = start(parallel(branches(), { deactivated: "observe" }));
    expect((await outcome).outputs).toEqual([rowsTensor("a", [1, 2])]);
    expect((await outcome).observed).toEqual([rowsTensor("b", [1, 2])]);
    expect(clock.nowMs()).toBe(40);
    expect(context.trace.children[1]?.facts).toEqual({ step: "b-model", observed: true });
  });

  test("fails for nobody", async () => {
    const failing = branch("b", { error: FAILURE }, { isActive: false });
    for (const onError of ["fail", "omit"] as const) {
      const step = parallel([branch("a", { tookMs: 10 }), failing], {
        deactivated: "observe",
        onError,
      });
      const { context, outcome } = start(step);
      expect(await outcome).toMatchObject({ observed: [], degraded: [] });
      expect(statusesOf(context)).toEqual(["a ok", "b failed"]);
    }
  });

  test.each(["omit", "observe"] as const)(
    "leaves nothing to answer with when all are, with %s: a 503 that says so",
    async (deactivated) => {
      const b = branch("b", {}, { isActive: false });
      await expect(start(parallel([b], { deactivated })).outcome).rejects.toMatchObject({
        code: "DEACTIVATED",
        message: 'Cannot run step "branches": every branch is deactivated',
      });
      expect(stepOf(b).runCount).toBe(deactivated === "observe" ? 1 : 0);
    },
  );
});
