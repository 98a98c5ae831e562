import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { MemoryTensorCache } from "../adapters/cache-memory/memory-tensor-cache.ts";
import type { CacheCounters } from "../core/cache/cache-counters.ts";
import { Cancellation } from "../core/cancellation.ts";
import { MillraceError } from "../core/errors.ts";
import { Counter } from "../core/metrics/metrics.ts";
import { describeTrace } from "../core/graph/describe-trace.ts";
import { runStep } from "../core/graph/run-step.ts";
import { outcomeOf, type StepOutcome } from "../core/graph/step-outcome.ts";
import { StepTrace } from "../core/graph/step-trace.ts";
import type { Step, StepContext } from "../core/graph/step.ts";
import { allPromises, mustBuild, problemsOf, testContext } from "../core/graph/test-step.ts";
import type { Tensor, TensorSpec } from "../core/tensor/tensor.ts";
import { TestClock } from "../core/test-clock.ts";
import type { CachedTensors, Lookup, TensorCache } from "../ports/tensor-cache.ts";
import { buildCached } from "./build-cached.ts";
import { DataCache } from "./data-cache.ts";

const TTL_MS = 1_000;
const ID: TensorSpec = { name: "id", datatype: "INT64", shape: [-1] };
const FEATURES: TensorSpec = { name: "features", datatype: "FP32", shape: [-1, -1] };
const NAME: TensorSpec = { name: "title", datatype: "BYTES", shape: [-1] };

const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, "hex");

/** A step that fetches by id: features `[id, id × 10]` and a title, unless the test says otherwise. */
class TestLoad implements Step {
  readonly name = "load";
  readonly kind = "load";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction = 0;
  readonly labels = undefined;
  readonly score = 0;
  /** Ids of each run. */
  readonly runs: number[][] = [];
  readonly contexts: StepContext[] = [];
  /** Each run waits for it. */
  gate: Promise<void> = Promise.resolve();
  give: (ids: readonly number[]) => StepOutcome = (ids) => outcomeOf(dataOf(ids));

  constructor(
    inputs: readonly TensorSpec[] = [ID],
    outputs: readonly TensorSpec[] = [FEATURES, NAME],
  ) {
    this.inputs = inputs;
    this.outputs = outputs;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const ids = [...(inputs[0]!.data as BigInt64Array)].map(Number);
    this.runs.push(ids);
    this.contexts.push(context);
    await Promise.race([this.gate, cancelled(context)]);
    return this.give(ids);
  }
}

function cancelled({ cancellation }: StepContext): Promise<never> {
  return new Promise((_, reject) => cancellation?.watch(() => reject(cancellation.reason)));
}

function dataOf(ids: readonly number[]): Tensor[] {
  const data = Float32Array.from(ids.flatMap((id) => [id, 10 * id]));
  return [
    { ...FEATURES, shape: [ids.length, 2], data },
    { ...NAME, shape: [ids.length], data: ids.map((id) => `n${id}`) },
  ];
}

function idsOf(...ids: number[]): Tensor {
  return { ...ID, shape: [ids.length], data: BigInt64Array.from(ids.map(BigInt)) };
}

function begin(
  options: { load?: TestLoad; store?: TensorCache; key?: string; digest?: string } = {},
) {
  const clock = new TestClock();
  const load = options.load ?? new TestLoad();
  const store =
    options.store ?? new MemoryTensorCache({ entriesMax: 100, bytesMax: 1 << 20 }, clock);
  const dataCache = new DataCache({ store, clock, sha256 });
  const counters: CacheCounters = {
    hit: new Counter(),
    miss: new Counter(),
    stale: new Counter(),
    error: new Counter(),
  };
  const another = (step: Step, digest = "a"): Step =>
    mustBuild(
      buildCached({ name: "data", step, digest, key: "id", ttlMs: TTL_MS, dataCache, counters }),
    );
  const step = another(load, options.digest);
  const ask = (ids: readonly number[], context: Partial<StepContext> = {}): Promise<StepOutcome> =>
    runStep(step, [idsOf(...ids)], testContext(clock, context));
  const counts = (): string => `${counters.hit.value} hits, ${counters.miss.value} misses`;
  return { clock, load, store, dataCache, step, another, ask, counts, counters };
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "ok",
    (error: unknown) => (error instanceof MillraceError ? error.code : error),
  );

describe("run()", () => {
  test("runs the steps once per key, and answers the same from then on", async () => {
    const { load, ask, counts } = begin();
    expect((await ask([7])).outputs).toEqual(dataOf([7]));
    expect((await ask([7])).outputs).toEqual(dataOf([7]));
    expect(load.runs).toEqual([[7]]);
    expect(counts()).toBe("1 hits, 1 misses");
  });

  test("runs the rows that are missing together, and puts all back in their order", async () => {
    const { load, ask, counts } = begin();
    await ask([3]);
    const { outputs } = await ask([5, 3, 9, 5, 1, 3]);
    expect(outputs).toEqual(dataOf([5, 3, 9, 5, 1, 3]));
    expect(load.runs).toEqual([[3], [5, 9, 1]]);
    expect(counts()).toBe("1 hits, 4 misses");
  });

  test("runs again when the time of the data is over", async () => {
    const { clock, load, ask } = begin();
    await ask([7]);
    clock.advanceMs(TTL_MS + 1);
    await ask([7]);
    expect(load.runs).toEqual([[7], [7]]);
  });

  test("shares the data of the same steps, and never that of others", async () => {
    const { clock, load, another, ask } = begin();
    await ask([7]);
    const same = new TestLoad();
    const other = new TestLoad();
    await another(same).run([idsOf(7)], testContext(clock));
    await another(other, "b").run([idsOf(7)], testContext(clock));
    expect([load.runs, same.runs, other.runs]).toEqual([[[7]], [], [[7]]]);
  });

  test("keeps a row alone, not the batch it came with", async () => {
    const { ask, store } = begin();
    await ask(Array.from({ length: 50 }, (_, i) => i));
    const usage = store.usage();
    expect(usage?.entries).toBe(50);
    const { outputs } = await ask([20]);
    expect((outputs[0]!.data as Float32Array).buffer.byteLength).toBe(8);
  });

  test("answers no rows with what the steps give for none", async () => {
    const { ask } = begin();
    expect((await ask([])).outputs.map(({ shape }) => shape[0])).toEqual([0, 0]);
  });

  test("hands on inputs beside the key, row by row", async () => {
    const weight: TensorSpec = { name: "weight", datatype: "FP32", shape: [-1, 1] };
    const received: Tensor[] = [];
    class Weighted extends TestLoad {
      override run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
        received.push(inputs[1] as Tensor);
        return super.run(inputs, context);
      }
    }
    const load = new Weighted([ID, weight]);
    const { step, clock } = begin({ load });
    const weights = (...values: number[]): Tensor => {
      return { ...weight, shape: [values.length, 1], data: Float32Array.from(values) };
    };
    await step.run([idsOf(1), weights(0.1)], testContext(clock));
    await step.run([idsOf(2, 1, 3), weights(0.2, 0.1, 0.3)], testContext(clock));
    expect(received[1]).toEqual(weights(0.2, 0.3));
  });

  test("traces whether it ran, and how many rows were there", async () => {
    const { clock, step, ask } = begin();
    await ask([1]);
    const factsOf = async (...ids: number[]): Promise<unknown> => {
      const trace = StepTrace.start("request", "request", clock);
      await runStep(step, [idsOf(...ids)], testContext(clock, { trace }));
      trace.end("ok");
      const [cached] = describeTrace(trace).steps ?? [];
      return { ...cached?.facts, ran: (cached?.steps ?? []).map(({ name }) => name) };
    };
    expect(await factsOf(1)).toEqual({ cache: "hit", hits: 1, misses: 0, ran: [] });
    expect(await factsOf(1, 2)).toEqual({ cache: "miss", hits: 1, misses: 1, ran: ["load"] });
  });
});

describe("run() of several requests at once", () => {
  test("prepares a key once, whoever asks", async () => {
    const { load, ask, dataCache, counts } = begin();
    const gate = Promise.withResolvers<void>();
    load.gate = gate.promise;
    const answers = [ask([1, 2]), ask([2, 3]), ask([3, 1, 2])];
    await allPromises();
    expect(load.runs).toEqual([[1, 2], [3]]);
    gate.resolve();
    const outputs = (await Promise.all(answers)).map((outcome) => outcome.outputs);
    expect(outputs).toEqual([dataOf([1, 2]), dataOf([2, 3]), dataOf([3, 1, 2])]);
    expect(counts()).toBe("4 hits, 3 misses");
    expect(dataCache.runs.size).toBe(0);
  });

  test("goes on for the others when the client of the first one goes", async () => {
    const { load, ask } = begin();
    const gate = Promise.withResolvers<void>();
    load.gate = gate.promise;
    const cancellation = new Cancellation();
    const first = codeOf(ask([1], { cancellation }));
    const second = ask([1]);
    await allPromises();
    cancellation.cancel("gone");
    expect(await first).toBe("gone");
    gate.resolve();
    expect((await second).outputs).toEqual(dataOf([1]));
    expect(load.runs).toEqual([[1]]);
  });

  test("is cancelled when nobody waits any more", async () => {
    const { load, ask, dataCache } = begin();
    load.gate = new Promise(() => undefined);
    const cancellation = new Cancellation();
    const answers = [ask([1], { cancellation }), ask([1], { cancellation })].map(codeOf);
    await allPromises();
    cancellation.cancel("gone");
    expect(await Promise.all(answers)).toEqual(["gone", "gone"]);
    expect(load.contexts[0]?.cancellation?.isCancelled).toBe(true);
    expect(dataCache.runs.size).toBe(0);
  });

  test("ends for one that waits when its time is over", async () => {
    const { clock, load, ask } = begin();
    const gate = Promise.withResolvers<void>();
    load.gate = gate.promise;
    const first = ask([1]);
    const hasty = codeOf(ask([1], { deadlineAtMs: 10 }));
    await allPromises();
    clock.advanceMs(10);
    expect(await hasty).toBe("DEADLINE_EXCEEDED");
    gate.resolve();
    expect((await first).outputs).toEqual(dataOf([1]));
  });

  test("is taken over when the first one runs out of its own time", async () => {
    const { load, ask } = begin();
    const gate = Promise.withResolvers<void>();
    load.gate = gate.promise;
    let calls = 0;
    load.give = (ids) => {
      if (++calls > 1) return outcomeOf(dataOf(ids));
      throw new MillraceError("DEADLINE_EXCEEDED", "Cannot predict: too late");
    };
    const first = codeOf(ask([1]));
    const second = ask([1, 2]);
    await allPromises();
    gate.resolve();
    expect(await first).toBe("DEADLINE_EXCEEDED");
    expect((await second).outputs).toEqual(dataOf([1, 2]));
    expect(load.runs).toEqual([[1], [2], [1]]);
  });

  test("is run by each on its own when four others ran out of their time", async () => {
    const { load, ask, dataCache } = begin();
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
    let calls = 0;
    load.give = (ids) => {
      if (++calls > 4) return outcomeOf(dataOf(ids));
      throw new MillraceError("CANCELLED", "Cannot predict: gone");
    };
    load.gate = (gates[0] as PromiseWithResolvers<void>).promise;
    const answers = Array.from({ length: 8 }, () => codeOf(ask([1])));
    for (const [i, { resolve }] of gates.entries()) {
      await allPromises();
      expect(load.runs).toHaveLength(i + 1);
      load.gate = gates[i + 1]?.promise ?? Promise.resolve();
      resolve();
    }
    expect(await Promise.all(answers)).toEqual([
      ...Array<string>(4).fill("CANCELLED"),
      ...Array<string>(4).fill("ok"),
    ]);
    expect(load.runs).toHaveLength(8);
    expect(dataCache.runs.size).toBe(0);
  });

  test("waits no longer for the others when a part of it fails", async () => {
    const { load, ask } = begin();
    const { give } = load;
    load.gate = new Promise(() => undefined);
    const cancellation = new Cancellation();
    const first = codeOf(ask([1], { cancellation }));
    await allPromises();
    load.gate = Promise.resolve();
    load.give = () => {
      throw new MillraceError("FUNCTION_FAILED", "Cannot run: it threw");
    };
    expect(await codeOf(ask([1, 2]))).toBe("FUNCTION_FAILED");
    load.give = give;
    cancellation.cancel("gone");
    expect(await first).toBe("gone");
    expect(load.contexts[0]?.cancellation?.isCancelled).toBe(true);
  });

  test("fails for all that wait for a step that fails, and stores nothing", async () => {
    const { load, ask, store } = begin();
    const give = load.give;
    load.give = () => {
      throw new MillraceError("FUNCTION_FAILED", "Cannot run: it threw");
    };
    const answers = [ask([1]), ask([1]), ask([2, 1])].map(codeOf);
    expect(await Promise.all(answers)).toEqual(Array(3).fill("FUNCTION_FAILED"));
    expect(store.usage()?.entries).toBe(0);
    load.give = give;
    expect((await ask([1])).outputs).toEqual(dataOf([1]));
  });
});

describe("run() of what is not as it should be", () => {
  test("hands on what is degraded to all that waited, and stores none of it", async () => {
    const { load, ask, store } = begin();
    const degraded = [
      { kind: "fallback" as const, step: "x", code: "INTERNAL" as const, cause: 0 },
    ];
    load.give = (ids) => ({ ...outcomeOf(dataOf(ids)), degraded });
    const outcomes = await Promise.all([ask([1, 2]), ask([2])]);
    expect(outcomes.map((outcome) => outcome.degraded)).toEqual([degraded, degraded]);
    expect(store.usage()?.entries).toBe(0);
  });

  test("leaves out an output that is missing for one of the rows", async () => {
    const { load, ask } = begin();
    await ask([1]);
    const degraded = [{ kind: "missing" as const, step: "x", code: "INTERNAL" as const, cause: 0 }];
    load.give = (ids) => ({ ...outcomeOf(dataOf(ids).slice(0, 1)), degraded });
    const outcome = await ask([1, 2]);
    expect(outcome.outputs).toEqual(dataOf([1, 2]).slice(0, 1));
    expect(outcome.degraded).toEqual(degraded);
  });

  test("throws when the rows of one request have different shapes", async () => {
    const { load, ask } = begin();
    await ask([1]);
    load.give = (ids) => {
      const [, title] = dataOf(ids) as [Tensor, Tensor];
      return outcomeOf([{ ...FEATURES, shape: [1, 3], data: new Float32Array(3) }, title]);
    };
    await expect(ask([1, 2])).rejects.toMatchObject({
      code: "FUNCTION_FAILED",
      message: expect.stringContaining(
        "FP32 [1, 2] for one key, FP32 [1, 3] for another",
      ) as string,
    });
  });

  test("throws when the steps give another number of rows", async () => {
    const { load, ask } = begin();
    load.give = () => outcomeOf(dataOf([1]));
    await expect(ask([1, 2])).rejects.toMatchObject({
      code: "FUNCTION_FAILED",
      message: expect.stringContaining('output "features" has 1 rows, expected 2') as string,
    });
  });

  test("prepares anew what does not fit, as somebody else may have written it", async () => {
    const clock = new TestClock();
    const store = new MemoryTensorCache({ entriesMax: 10, bytesMax: 1 << 20 }, clock);
    const wrong: CachedTensors = { outputs: dataOf([1, 2]), storedWallMs: 1 };
    const lying: TensorCache = {
      get: () => wrong,
      set: (key, value, ttlMs) => store.set(key, value, ttlMs),
      setBounds: () => undefined,
      usage: () => store.usage(),
      close: () => store.close(),
    };
    const { ask, load } = begin({ store: lying });
    expect((await ask([7])).outputs).toEqual(dataOf([7]));
    expect(load.runs).toEqual([[7]]);
  });

  test("asks a cache elsewhere for all rows at once, and does without one that is away", async () => {
    const asked: string[] = [];
    const reply = Promise.withResolvers<Lookup>();
    const gate = Promise.withResolvers<void>();
    const away: TensorCache = {
      get: (key) => {
        asked.push(key);
        return reply.promise;
      },
      set: () => undefined,
      setBounds: () => undefined,
      usage: () => undefined,
      close: () => Promise.resolve(),
    };
    const { ask, load, counters } = begin({ store: away });
    const answer = ask([1, 2, 3, 2]);
    await allPromises();
    expect([asked.length, load.runs.length]).toEqual([3, 0]);
    load.gate = gate.promise;
    reply.resolve("unavailable");
    await allPromises();
    const follower = ask([3]);
    await allPromises();
    expect(asked).toHaveLength(3); // it is known to be under way
    gate.resolve();
    expect((await answer).outputs).toEqual(dataOf([1, 2, 3, 2]));
    expect((await follower).outputs).toEqual(dataOf([3]));
    expect(load.runs).toEqual([[1, 2, 3]]);
    expect(counters.error.value).toBe(3);
  });
});

describe("buildCached()", () => {
  const build = (load: TestLoad, key = "id") => {
    const clock = new TestClock();
    const store = new MemoryTensorCache({ entriesMax: 10, bytesMax: 1 << 20 }, clock);
    const counters = begin().counters;
    const dataCache = new DataCache({ store, clock, sha256 });
    return buildCached({
      name: "data",
      step: load,
      digest: "a",
      key,
      ttlMs: 1,
      dataCache,
      counters,
    });
  };

  test("takes and gives what the steps do", () => {
    const { step, load } = begin();
    expect(step).toMatchObject({ inputs: load.inputs, outputs: load.outputs, prediction: 0 });
  });

  test("refuses a key that is no input", () => {
    expect(problemsOf(build(new TestLoad(), "key"))).toEqual([
      ': found no input "key", there is "id"',
    ]);
  });

  test("refuses steps whose inputs or outputs do not count rows", () => {
    const fixed: TensorSpec = { name: "table", datatype: "FP32", shape: [8, 2] };
    const scalar: TensorSpec = { name: "scale", datatype: "FP32", shape: [] };
    const problems = problemsOf(build(new TestLoad([ID, scalar], [FEATURES, fixed])));
    expect(problems).toHaveLength(2);
    expect(problems[0]).toContain('input "scale" FP32 [] does not count rows');
    expect(problems[1]).toContain('output "table" FP32 [8, 2] does not count rows');
  });
});
