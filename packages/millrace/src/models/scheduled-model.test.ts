import { expect, test } from "vitest";
import { ByteBudget } from "../core/batch/byte-budget.ts";
import { Cancellation } from "../core/cancellation.ts";
import { MillraceError } from "../core/errors.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import { TestClock } from "../core/test-clock.ts";
import { ScheduledModel, type RunLimits, type ScheduledModelOptions } from "./scheduled-model.ts";
import { settled, TestModel, type TestModelOptions, type TestRun } from "./test-loaded-model.ts";

const LIMITS: RunLimits = {
  receivedMs: 0,
  deadlineAtMs: Infinity,
  priority: 2,
  cancellation: undefined,
  isInputOwned: false,
};

interface WorldOptions extends TestModelOptions {
  readonly executors?: number;
  readonly isBatched?: boolean;
  readonly batch?: Partial<ScheduledModelOptions["batch"]>;
}

/** A scheduler over `TestModel`s that has learned that a run takes 10 ms, whatever its rows. */
function createWorld(options: WorldOptions = {}) {
  const { executors = 1, isBatched = true } = options;
  const clock = new TestClock();
  const told: string[] = [];
  const models = Array.from({ length: executors }, () => new TestModel(options));
  const budget = new ByteBudget(1e9);
  const scheduled = new ScheduledModel({
    name: "m",
    inputs: (models[0] as TestModel).description.inputs,
    executors: models,
    startExecutor: () => {
      const model = new TestModel(options);
      models.push(model);
      return Promise.resolve(model);
    },
    isBatched,
    batch: {
      rowsMax: 8,
      delayMs: 0,
      objectiveMs: undefined,
      runMsMax: Infinity,
      queuedRowsMax: 100,
      queuedBytesMax: 1e9,
      budget,
      ...options.batch,
    },
    clock,
    events: {
      batchEnded: (rows) => told.push(`ran ${rows}`),
      executorLost: (reason, backInMs) => told.push(`lost for ${backInMs}: ${reason.message}`),
      executorBack: () => told.push("back"),
      executorNotBack: () => told.push("not back"),
    },
  });
  for (const rows of [1, 2, 4, 8]) scheduled.learn(rows, 10 + rows / 10, ["OUTPUT"]);
  const run = (values: number[], limits: Partial<RunLimits> = {}) => {
    const answer = scheduled.run([floats(values)], ["OUTPUT"], {
      ...LIMITS,
      receivedMs: clock.nowMs(),
      ...limits,
    });
    answer.catch(() => undefined); // whoever looks at it later hears of it
    return answer;
  };
  const advance = async (ms: number): Promise<void> => {
    clock.advanceMs(ms);
    await settled();
  };
  return { clock, told, models, budget, scheduled, run, advance };
}

function floats(values: readonly number[], name = "INPUT"): Tensor {
  return { name, datatype: "FP32", shape: [values.length, 1], data: Float32Array.from(values) };
}

/** Ends a run as a model that adds 100 to every row. */
function answer(run: TestRun | undefined): void {
  const rows = [...((run?.inputs[0]?.data ?? []) as Float32Array)];
  run?.end([
    floats(
      rows.map((value) => value + 100),
      "OUTPUT",
    ),
  ]);
}

const rowsOf = (run: TestRun | undefined): number[] => [
  ...((run?.inputs[0]?.data ?? []) as Float32Array),
];

async function valuesOf(result: Promise<{ readonly outputs: Tensor[] }>): Promise<number[]> {
  const [output] = (await result).outputs as [Tensor];
  return [...(output.data as Float32Array)];
}

async function codeOf(result: Promise<unknown>): Promise<string> {
  return result.then(
    () => "ok",
    (error: unknown) => (error instanceof MillraceError ? error.code : (error as Error).message),
  );
}

/** Nothing waits, runs or is counted any more. */
function expectIdle({ scheduled, budget }: ReturnType<typeof createWorld>): void {
  const { batcher } = scheduled;
  expect([batcher.itemCount, batcher.bytes, batcher.waitingRows]).toEqual([0, 0, 0]);
  expect(budget.usedBytes).toBe(0);
}

test("run() gives each request of a batch its own rows and the times of the batch", async () => {
  const world = createWorld();
  const { models, run, advance, told } = world;
  const answers = [run([1, 2]), run([3]), run([4])];
  await advance(2);
  expect(rowsOf(models[0]?.runs[0])).toEqual([1, 2, 3, 4]);
  await advance(7);
  models[0]?.runs[0]?.end([floats([101, 102, 103, 104], "OUTPUT")], 4);
  expect(await Promise.all(answers.map(valuesOf))).toEqual([[101, 102], [103], [104]]);
  const { queueMs, batchMs, computeMs } = await (answers[0] as (typeof answers)[number]);
  expect([queueMs, batchMs, computeMs]).toEqual([2, 3, 4]);
  expect(told).toEqual(["ran 4"]);
  expectIdle(world);
});

test("run() keeps the rows of a request in order when its parts end in another order", async () => {
  const world = createWorld({ executors: 2, batch: { rowsMax: 2 } });
  const { models, run, advance } = world;
  const many = run([1, 2, 3, 4, 5]);
  await advance(0);
  const [first, second] = models as [TestModel, TestModel];
  expect([first.runs.map(rowsOf), second.runs.map(rowsOf)]).toEqual([[[1, 2]], [[3, 4]]]);
  answer(second.runs[0]);
  await settled();
  answer(second.runs[0]); // the last part
  await settled();
  answer(first.runs[0]);
  expect(await valuesOf(many)).toEqual([101, 102, 103, 104, 105]);
  expectIdle(world);
});

test("run() does not mix requests that want other outputs, whatever their names", async () => {
  const outputs = ["a", "b", "a,b"].map((name) => ({ ...floats([0]), name, shape: [-1, 1] }));
  const { models, scheduled, advance } = createWorld({ outputs });
  const one = scheduled.run([floats([1])], ["a,b"], LIMITS);
  const two = scheduled.run([floats([2])], ["a", "b"], LIMITS);
  await advance(0);
  models[0]?.runs[0]?.end([floats([1], "a,b")]);
  await settled();
  models[0]?.runs[0]?.end([floats([2], "a"), floats([2], "b")]);
  expect((await one).outputs.map(({ name }) => name)).toEqual(["a,b"]);
  expect((await two).outputs.map(({ name }) => name)).toEqual(["a", "b"]);
});

test("run() calls a bucket by its outputs, and by its shapes only where they vary", async () => {
  const varying: TensorSpec = { name: "INPUT", datatype: "FP32", shape: [-1, -1] };
  const fixed = createWorld();
  const free = createWorld({ inputs: [varying] });
  void fixed.run([1]);
  void free.run([1]);
  void free.scheduled.run([{ ...floats([1, 2]), shape: [1, 2] }], ["OUTPUT"], LIMITS);
  const keys = ({ scheduled }: typeof fixed): string[] =>
    [...scheduled.batcher.buckets].map(({ key }) => key);
  expect(keys(fixed)).toEqual(["OUTPUT"]);
  expect(keys(free)).toEqual(["OUTPUT", "OUTPUT 1", "OUTPUT 2"]);
});

test("run() runs requests without rows one by one, beside the others", async () => {
  const { models, run, advance, told } = createWorld();
  const answers = [run([]), run([1]), run([])];
  for (let i = 0; i < 3; i++) {
    await advance(0);
    answer(models[0]?.runs[0]);
  }
  expect(await Promise.all(answers.map(valuesOf))).toEqual([[], [101], []]);
  expect(told.toSorted()).toEqual(["ran 0", "ran 0", "ran 1"]);
});

test("run() fails a batch whose output has too few rows, and finds out who it was", async () => {
  const world = createWorld();
  const { models, run, advance, scheduled } = world;
  const answers = [run([1]), run([2])];
  await advance(0);
  models[0]?.runs[0]?.end([floats([101], "OUTPUT")]);
  for (let i = 0; i < 2; i++) {
    await advance(0);
    answer(models[0]?.runs[0]);
  }
  expect(await Promise.all(answers.map(valuesOf))).toEqual([[101], [102]]);
  expect(scheduled.batcher.journal.bisectCount).toBe(1);
  expectIdle(world);
});

test("run() rejects with what the model threw when the request ran alone, and goes on", async () => {
  const world = createWorld();
  const { models, run, advance } = world;
  const bad = run([1]);
  await advance(0);
  models[0]?.runs[0]?.fail(new MillraceError("MODEL_FAILED", "no"));
  expect(await codeOf(bad)).toBe("MODEL_FAILED");
  const good = run([2]);
  await advance(0);
  answer(models[0]?.runs[0]);
  expect(await valuesOf(good)).toEqual([102]);
  expectIdle(world);
});

test("run() outlives an executor that throws instead of rejecting", async () => {
  const world = createWorld();
  const { models, run, advance } = world;
  const [model] = models as [TestModel];
  const real = model.run.bind(model);
  model.run = () => {
    throw new RangeError("Array buffer allocation failed");
  };
  expect(await codeOf(run([1]))).toBe("Array buffer allocation failed");
  model.run = real;
  const good = run([2]);
  await advance(0);
  answer(model.runs[0]);
  expect(await valuesOf(good)).toEqual([102]);
  expectIdle(world);
});

test("run() fails only the request whose rows cannot be taken from the outputs", async () => {
  const world = createWorld();
  const { models, run, advance } = world;
  const answers = [run([1]), run([2]), run([3])];
  await advance(0);
  const output = floats([101, 102, 103], "OUTPUT");
  Object.defineProperty(output.data, "subarray", {
    value(from: number, to: number) {
      if (from === 1) throw new RangeError("no memory");
      return output.data.slice(from, to);
    },
  });
  models[0]?.runs[0]?.end([output]);
  expect(await Promise.all(answers.map(codeOf))).toEqual(["ok", "no memory", "ok"]);
  expectIdle(world);
});

test("run() leaves nobody watching a cancellation that outlives many requests", async () => {
  const world = createWorld();
  const { models, run, advance } = world;
  const cancellation = new Cancellation();
  const answers = [1, 2, 3].map((value) => run([value], { cancellation }));
  const late = run([4], { cancellation, deadlineAtMs: 50 });
  expect(cancellation.watcherCount).toBe(4);
  await advance(0);
  await advance(60);
  expect(await codeOf(late)).toBe("DEADLINE_EXCEEDED");
  answer(models[0]?.runs[0]);
  await Promise.all(answers);
  const refused = run([5], { cancellation, deadlineAtMs: 1 });
  expect(await codeOf(refused)).toBe("DEADLINE_EXCEEDED");
  expect(cancellation.watcherCount).toBe(0);
});

test("run() rejects at once with the reason of the cancellation, waiting or running", async () => {
  const world = createWorld();
  const { models, run, advance } = world;
  const cancellations = [1, 2, 3].map(() => new Cancellation());
  const running = run([1], { cancellation: cancellations[0] });
  await advance(0);
  const waiting = run([2], { cancellation: cancellations[1] });
  for (const cancellation of cancellations) cancellation.cancel(new Error("gone"));
  const before = run([3], { cancellation: cancellations[2] });
  expect(await Promise.all([running, waiting, before].map(codeOf))).toEqual([
    "gone",
    "gone",
    "gone",
  ]);
  answer(models[0]?.runs[0]);
  await settled();
  expect(models[0]?.runs).toEqual([]);
  expectIdle(world);
});

test("run() answers at the deadline, not when the run ends", async () => {
  const { models, run, advance } = createWorld();
  const late = run([1], { deadlineAtMs: 20 });
  await advance(0);
  await advance(19);
  expect(models[0]?.runs).toHaveLength(1);
  await advance(1);
  expect(await codeOf(late)).toBe("DEADLINE_EXCEEDED");
});

test("a request runs again on another executor when its thread dies", async () => {
  const world = createWorld();
  const { models, run, advance, told } = world;
  const result = run([1]);
  await advance(0);
  models[0]?.die();
  await settled();
  await advance(100);
  expect(rowsOf(models[1]?.runs[0])).toEqual([1]);
  answer(models[1]?.runs[0]);
  expect(await valuesOf(result)).toEqual([101]);
  expect(told).toEqual(["lost for 100: Cannot run the model: its thread ended", "back", "ran 1"]);
  expectIdle(world);
});

test("a request that has lost two threads is answered with an error", async () => {
  const world = createWorld();
  const { models, run, advance } = world;
  const result = run([1]);
  await advance(0);
  models[0]?.die();
  await advance(100);
  models[1]?.die();
  expect(await codeOf(result)).toBe("EXECUTOR_LOST");
  expectIdle(world);
});

test("a request whose memory went with its thread is answered at once, and not run again", async () => {
  const world = createWorld({ batch: { rowsMax: 10_000, queuedRowsMax: 1e6 } });
  const { models, run, advance } = world;
  const large = Array.from({ length: 5_000 }, (_, i) => i);
  const consumed = run(large, { isInputOwned: true });
  await advance(0);
  expect(models[0]?.runs[0]?.isInputOwned).toBe(true);
  models[0]?.die();
  expect(await codeOf(consumed)).toBe("EXECUTOR_LOST");
  await advance(100);
  expect(models[1]?.runs).toEqual([]);
  expectIdle(world);
});

test("a small request keeps its memory, so that it can run again", async () => {
  const { models, run, advance } = createWorld();
  void run([1], { isInputOwned: true });
  await advance(0);
  expect(models[0]?.runs[0]?.isInputOwned).toBe(false);
});

test("a run that hangs is given up: its request is answered, the next ones run elsewhere", async () => {
  const world = createWorld({ batch: { rowsMax: 1 } });
  const { models, run, advance, told, scheduled } = world;
  const hung = run([1]);
  await advance(0);
  const behind = run([2]); // stands ready behind it
  await advance(0);
  expect(models[0]?.runs.map(rowsOf)).toEqual([[1], [2]]);
  await advance(32_000);
  expect(await codeOf(hung)).toBe("EXECUTOR_LOST");
  expect(told).toEqual([
    "lost for 100: Cannot run the model: a run of 1 rows has not ended after 32 s",
  ]);
  expect(scheduled.isUp).toBe(false);
  await advance(100);
  expect(scheduled.isUp).toBe(true);
  answer(models[1]?.runs[0]);
  expect(await valuesOf(behind)).toEqual([102]);
  expectIdle(world);
});

test("a run that was given up is not counted and answers nobody when it ends after all", async () => {
  const world = createWorld({ batch: { rowsMax: 2 } });
  const { models, run, advance, told } = world;
  const many = run([1, 2, 3, 4]);
  await advance(0);
  const [old] = models as [TestModel];
  expect(old.runs.map(rowsOf)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  await advance(32_000);
  expect(await codeOf(many)).toBe("EXECUTOR_LOST");
  const next = run([5, 6, 7, 8]);
  await advance(100);
  answer(old.runs[0]);
  answer(old.runs[0]);
  await settled();
  expect(told.slice(1)).toEqual(["back"]);
  while ((models[1]?.runs.length ?? 0) > 0) {
    answer(models[1]?.runs[0]);
    await settled();
  }
  expect(await valuesOf(next)).toEqual([105, 106, 107, 108]);
  expect(old.isClosed).toBe(true);
  expectIdle(world);
});

test("dropAll() answers what waits, what runs and what still comes", async () => {
  const world = createWorld({ batch: { rowsMax: 1 } });
  const { models, run, advance, scheduled } = world;
  const answers = [run([1]), run([2]), run([3]), run([4])];
  await advance(0);
  scheduled.dropAll();
  answers.push(run([5]));
  expect(await Promise.all(answers.map(codeOf))).toEqual(Array(5).fill("OVERLOADED"));
  await expect(answers[4]).rejects.toMatchObject({ reason: "shutdown" });
  for (const running of models[0]?.runs.slice() ?? []) answer(running);
  await settled();
  expectIdle(world);
});

test("close() leaves no timer behind", async () => {
  const { clock, models, run, advance, scheduled } = createWorld();
  const result = run([1], { deadlineAtMs: 10_000 });
  await advance(0);
  answer(models[0]?.runs[0]);
  await result;
  await scheduled.close();
  expect([clock.timerCount, models[0]?.isClosed]).toEqual([0, true]);
});

test("a request that waits for company is run when its time is over, with nothing else happening", async () => {
  const { models, run, advance } = createWorld({ batch: { delayMs: 5 } });
  const alone = run([1]);
  await advance(0);
  expect(models[0]?.runs).toEqual([]);
  await advance(5);
  answer(models[0]?.runs[0]);
  expect(await valuesOf(alone)).toEqual([101]);
});

test("a model that is not batched runs each request alone with all its rows", async () => {
  const { models, run, advance, told } = createWorld({ isBatched: false, batch: { rowsMax: 1 } });
  const answers = [run([1, 2, 3]), run([4])];
  await advance(0);
  expect(models[0]?.runs.map(rowsOf)).toEqual([[1, 2, 3], [4]]);
  answer(models[0]?.runs[0]);
  await settled();
  answer(models[0]?.runs[0]);
  expect(await Promise.all(answers.map(valuesOf))).toEqual([[101, 102, 103], [104]]);
  expect(told).toEqual(["ran 3", "ran 1"]);
});
