import { describe, expect, test } from "vitest";
import { Cancellation } from "../cancellation.ts";
import { MillraceError } from "../errors.ts";
import { TestClock } from "../test-clock.ts";
import type { TensorSpec } from "../tensor/tensor.ts";
import { buildParallel } from "./build-parallel.ts";
import { buildSequence, type SequenceMember } from "./build-sequence.ts";
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
const spec = (name: string, shape = [-1, 2]): TensorSpec => ({ name, datatype: "FP32", shape });

/** Adds 1 to every element of its input, so that a result tells which steps ran. */
function adder(name: string, options: TestStepOptions = {}): TestStep {
  const output = options.outputs?.[0]?.name ?? "y";
  return new TestStep(name, {
    give: ([x]) => [
      rowsTensor(
        output,
        [...(x!.data as Float32Array)].map((value) => value + 1),
      ),
    ],
    ...options,
  });
}

const FAILURE = new MillraceError("MODEL_FAILED", "Cannot predict: broken");

function sequence(members: readonly (TestStep | SequenceMember)[], map = {}): Step {
  return mustBuild(
    buildSequence({
      name: "chain",
      members: members.map((member) => (member instanceof TestStep ? { step: member } : member)),
      map,
    }),
  );
}

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

describe("a sequence", () => {
  test("hands what a step gives to the next, renamed, and takes as long as all together", async () => {
    const steps = [
      adder("a", { tookMs: 5 }),
      adder("b", { tookMs: 7 }),
      adder("c", { tookMs: 11 }),
    ];
    const { clock, context, outcome } = start(sequence(steps));
    expect((await outcome).outputs).toEqual([rowsTensor("y", [4, 5])]);
    expect(clock.nowMs()).toBe(23);
    expect(steps[1]?.received[0]?.[0]?.name).toBe("x");
    const rows = context.trace.children.map(({ name, startedMs, tookMs }) => [
      name,
      startedMs,
      tookMs,
    ]);
    expect(rows).toEqual([
      ["a", 0, 5],
      ["b", 5, 7],
      ["c", 12, 11],
    ]);
  });

  test("takes inputs of a step from any earlier one and from its own inputs", async () => {
    const sum = new TestStep("sum", {
      inputs: [spec("p"), spec("q"), spec("r")],
      give: (inputs) => [
        rowsTensor("y", [inputs.reduce((total, { data }) => total + (data[0] as number), 0)]),
      ],
    });
    const map = { p: "input.x", q: "a.y", r: "y" };
    const { outcome } = start(sequence([adder("a"), adder("b"), sum], map));
    expect((await outcome).outputs[0]?.data).toEqual(Float32Array.of(1 + 2 + 3));
    expect(sum.received[0]?.map(({ name }) => name)).toEqual(["p", "q", "r"]);
  });

  test("gives every step the deadline of the request", async () => {
    const steps = [adder("a", { tookMs: 5 }), adder("b")];
    await start(sequence(steps), { deadlineAtMs: 50 }).outcome;
    expect(steps.map(({ contexts }) => contexts[0]?.deadlineAtMs)).toEqual([50, 50]);
  });

  test("fails by the name of the step that comes too late, and runs none after it", async () => {
    const steps = [adder("a", { tookMs: 5 }), adder("b"), adder("c")];
    const { outcome } = start(sequence(steps), { deadlineAtMs: 5 });
    await expect(outcome).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", step: "b" });
    expect(steps.map(({ runCount }) => runCount)).toEqual([1, 0, 0]);
  });

  test("cancels the step that runs and starts no other when the client goes", async () => {
    const cancellation = new Cancellation();
    const steps = [adder("a"), adder("b", { tookMs: 10 }), adder("c")];
    const clock = new TestClock();
    const context = testContext(clock, { cancellation });
    const outcome = runStep(sequence(steps), INPUTS, context, context.trace);
    await allPromises();
    const reason = new Error("gone");
    cancellation.cancel(reason);
    await expect(outcome).rejects.toBe(reason);
    expect(steps.map(({ runCount }) => runCount)).toEqual([1, 1, 0]);
    expect(steps[1]?.cancelledCount).toBe(1);
    expect([cancellation.watcherCount, clock.timerCount]).toEqual([0, 0]);
  });

  test("refuses a shape that only the run can show not to fit, with both shapes", async () => {
    const wide = new TestStep("wide", {
      outputs: [spec("y", [-1, -1])],
      give: () => [rowsTensor("y", [1, 2, 3])],
    });
    const next = adder("next");
    await expect(start(sequence([wide, next])).outcome).rejects.toMatchObject({
      code: "MODEL_FAILED",
      message: 'Cannot run step "chain": "y" FP32 [1, 3] does not fit input "x" FP32 [-1, 2]',
    });
    expect(next.runCount).toBe(0);
  });

  test("says which branch is missing that a later step needs, with its code", async () => {
    const lost = new MillraceError("OVERLOADED", "Cannot predict: full");
    const branches = mustBuild(
      buildParallel({
        name: "branches",
        branches: [
          { name: "p", step: adder("p", { error: lost }) },
          { name: "q", step: adder("q") },
        ],
        combine: "each",
        onError: "omit",
      }),
    );
    const second = adder("second", { inputs: [spec("q")] });
    const pair = new TestStep("pair", { inputs: [spec("q"), spec("p")] });
    const { outcome } = start(sequence([{ step: branches }, { step: second }]));
    expect((await outcome).outputs).toEqual([rowsTensor("y", [3, 4])]);
    expect((await outcome).degraded.map(({ kind, step, code }) => [kind, step, code])).toEqual([
      ["missing", "p", "OVERLOADED"],
    ]);
    await expect(
      start(sequence([{ step: branches }, { step: pair }])).outcome,
    ).rejects.toMatchObject({
      code: "OVERLOADED",
      message: 'Cannot run step "chain": step "pair" takes "p" from branch "p", which is missing',
    });
  });

  test("keeps what a branch in it only observed", async () => {
    const branches = mustBuild(
      buildParallel({
        name: "branches",
        branches: [
          { name: "p", step: adder("p") },
          { name: "q", step: adder("q"), isActive: false },
        ],
        combine: "each",
        onError: "omit",
        deactivated: "observe",
      }),
    );
    const { outcome } = start(sequence([{ step: branches }, adder("last")]));
    expect((await outcome).observed).toEqual([rowsTensor("q", [2, 3])]);
  });
});

describe("a step of a sequence that fails", () => {
  test("fails the sequence, with its own name", async () => {
    const { context, outcome } = start(sequence([adder("a"), adder("b", { error: FAILURE })]));
    await expect(outcome).rejects.toMatchObject({
      message: 'Cannot run step "b": broken',
      code: "MODEL_FAILED",
    });
    expect(context.trace.children.map(({ status }) => status)).toEqual(["ok", "failed"]);
  });

  test("is skipped: the next gets what it got, and the outcome says so", async () => {
    const broken = adder("b", { error: FAILURE, tookMs: 3 });
    const members = [adder("a"), { step: broken, onError: "skip" as const }, adder("c")];
    const { context, outcome } = start(sequence(members));
    const { outputs, degraded } = await outcome;
    expect(outputs).toEqual([rowsTensor("y", [3, 4])]);
    expect(degraded).toMatchObject([{ kind: "skipped", step: "b", code: "MODEL_FAILED" }]);
    expect((degraded[0]!.cause as Error).cause).toBe(FAILURE);
    expect(context.trace.children.map(({ status }) => status)).toEqual(["ok", "skipped", "ok"]);
    expect(context.trace.children[1]?.facts).toEqual({ error: "MODEL_FAILED" });
  });

  test("is skipped at the end: the sequence gives what it got, by the name of what it gives", async () => {
    const members = [
      adder("a"),
      { step: adder("b", { error: FAILURE }), onError: "skip" as const },
    ];
    expect((await start(sequence(members)).outcome).outputs).toEqual([rowsTensor("y", [2, 3])]);
  });

  test("is skipped one after the other", async () => {
    const broken = (name: string): SequenceMember => ({
      step: adder(name, { error: FAILURE }),
      onError: "skip",
    });
    const { outputs, degraded } = await start(sequence([broken("a"), broken("b"), adder("c")]))
      .outcome;
    expect(outputs).toEqual([rowsTensor("y", [2, 3])]);
    expect(degraded.map(({ step }) => step)).toEqual(["a", "b"]);
  });

  test("is replaced by another step on the same input, whatever the order of its outputs is", async () => {
    const pair = [spec("y"), spec("z")];
    const broken = adder("b", { outputs: pair, error: FAILURE });
    const fallback = new TestStep("constant", {
      outputs: [...pair].reverse(),
      give: ([x]) => [rowsTensor("z", [0, 0]), { ...INPUTS[0]!, name: "y", data: x!.data }],
    });
    const last = new TestStep("last", { inputs: [spec("z"), spec("y")], outputs: pair });
    const members = [adder("a"), { step: broken, onError: fallback }, last];
    const { context, outcome } = start(sequence(members));
    const { degraded } = await outcome;
    expect(last.received[0]).toEqual([rowsTensor("z", [0, 0]), rowsTensor("y", [2, 3])]);
    expect(fallback.received[0]).toEqual([rowsTensor("x", [2, 3])]);
    expect(degraded).toMatchObject([{ kind: "fallback", step: "b", code: "MODEL_FAILED" }]);
    expect(context.trace.children.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "a ok",
      "b failed",
      "constant ok",
      "last ok",
    ]);
  });

  test("is replaced by what has the name of its output, before that of the input it becomes", async () => {
    const broken = adder("a", { outputs: [spec("p"), spec("q")], error: FAILURE });
    const fallback = new TestStep("constant", {
      outputs: [spec("q"), spec("p")],
      give: () => [rowsTensor("q", [7, 7]), rowsTensor("p", [8, 8])],
    });
    const last = new TestStep("last", { inputs: [spec("q"), spec("r")] });
    const members = [{ step: broken, onError: fallback }, last];
    await start(sequence(members, { q: "p", r: "q" })).outcome;
    expect(last.received[0]).toEqual([rowsTensor("q", [8, 8]), rowsTensor("r", [7, 7])]);
  });

  test("is skipped by inputs of the names that the next takes, where those of its outputs are others", async () => {
    const pair = [spec("p"), spec("q")];
    const split = new TestStep("split", {
      outputs: pair,
      give: () => [rowsTensor("p", [1, 1]), rowsTensor("q", [2, 2])],
    });
    const broken = new TestStep("broken", {
      inputs: pair,
      outputs: [spec("p2"), spec("q2")],
      error: FAILURE,
    });
    const last = new TestStep("last", { inputs: pair.toReversed() });
    const members = [split, { step: broken, onError: "skip" as const }, last];
    await start(sequence(members, { "last.p": "p2", "last.q": "q2" })).outcome;
    expect(last.received[0]).toEqual([rowsTensor("q", [2, 2]), rowsTensor("p", [1, 1])]);
  });

  test("is the failure that is told when the step in its place fails too", async () => {
    const other = adder("other", {
      error: new MillraceError("OVERLOADED", "Cannot predict: full"),
    });
    const members = [{ step: adder("a", { error: FAILURE }), onError: other }];
    await expect(start(sequence(members)).outcome).rejects.toMatchObject({
      code: "MODEL_FAILED",
      step: "a",
    });
  });

  test("is neither skipped nor replaced when the deadline has passed or the client has gone", async () => {
    const late = adder("a", { tookMs: 10, error: FAILURE });
    const spare = adder("spare");
    for (const onError of ["skip", spare] as const) {
      const { outcome } = start(sequence([{ step: late, onError }, adder("b")]), {
        deadlineAtMs: 10,
      });
      await expect(outcome).rejects.toMatchObject({ code: "MODEL_FAILED", step: "a" });
      const cancellation = new Cancellation();
      const gone = start(sequence([{ step: late, onError }, adder("b")]), { cancellation });
      cancellation.cancel(new Error("gone"));
      await expect(gone.outcome).rejects.toThrow("gone");
    }
    expect(spare.runCount).toBe(0);
  });
});
