import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../packages/millrace/src/adapters/clock-system/clock-system.ts";
import { Cancellation } from "../../packages/millrace/src/core/cancellation.ts";
import { MillraceError } from "../../packages/millrace/src/core/errors.ts";
import { runStep } from "../../packages/millrace/src/core/graph/run-step.ts";
import type { StepContext } from "../../packages/millrace/src/core/graph/step.ts";
import { testContext, TestStep } from "../../packages/millrace/src/core/graph/test-step.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { parseTraceContext } from "../../packages/millrace/src/core/trace-context/trace-context.ts";
import type { SourceStep } from "../../packages/millrace/src/ports/step-sources.ts";
import { TestFunctions } from "./function-parts.ts";

const fixture = (name: string): string =>
  new URL(`../fixtures/functions/${name}`, import.meta.url).pathname;

function floats(name: string, shape: number[], ...values: number[]): Tensor {
  return { name, datatype: "FP32", shape, data: Float32Array.from(values) };
}

function texts(name: string, ...data: string[]): Tensor {
  return { name, datatype: "BYTES", shape: [data.length], data };
}

async function outputsOf(
  { step }: SourceStep,
  inputs: readonly Tensor[],
  overrides: Partial<StepContext> = {},
): Promise<readonly Tensor[]> {
  const { outputs } = await runStep(step, inputs, testContext(systemClock, overrides));
  return outputs;
}

/** One row of `x` through a step that `TestFunctions.step` made. */
async function y(source: SourceStep, x: number, overrides?: Partial<StepContext>): Promise<number> {
  const [output] = await outputsOf(source, [floats("x", [1], x)], overrides);
  return Number(output?.data[0]);
}

async function failureOf(work: Promise<unknown>): Promise<MillraceError> {
  return work.then(
    (value) => expect.unreachable(`it did not fail: ${JSON.stringify(value)}`),
    (error: unknown) => error as MillraceError,
  );
}

/** Code, reason and message. */
async function refusalOf(work: Promise<unknown>): Promise<(string | undefined)[]> {
  const { code, reason, message } = await failureOf(work);
  return [code, reason, message];
}

describe("function()", () => {
  test("gives what a TypeScript function returns for the rows of a request", async () => {
    await using mine = new TestFunctions();
    const scale = await mine.load(fixture("scale.ts"));
    expect(scale.step).toMatchObject({
      name: "mine",
      kind: "function",
      inputs: [{ name: "cm", datatype: "FP32", shape: [-1, 2] }],
      prediction: 0,
      labels: undefined,
    });
    const cm = floats("cm", [2, 2], 1, 2, 3, 4);
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const traceContext = parseTraceContext(traceparent, undefined);
    const request = { predictionId: "p-1", requestId: "r-1", attributes: undefined, traceContext };
    expect(await outputsOf(scale, [cm], { request })).toEqual([
      floats("mm", [2, 2], 10, 20, 30, 40),
      texts("caller", `r-1 p-1 ${traceparent}`, `r-1 p-1 ${traceparent}`),
    ]);
    expect([...cm.data]).toEqual([1, 2, 3, 4]);
  });

  test("tells the caller what an InvalidInput says", async () => {
    await using mine = new TestFunctions();
    const scale = await mine.load(fixture("scale.ts"));
    const error = await failureOf(outputsOf(scale, [floats("cm", [2, 2], 1, 2, 3, -4)]));
    expect(error).toMatchObject({
      code: "INVALID_TENSOR",
      message: 'Cannot run step "mine": found -4 cm, expected 0 or more',
      problems: [{ location: ["body", "cm", 1], message: "found -4 cm, expected 0 or more" }],
    });
  });

  test("keeps what a function throws from the caller and gives it as the cause", async () => {
    await using mine = new TestFunctions();
    const step = await mine.step('throw new RangeError("password is hunter2")');
    const error = await failureOf(y(step, 1));
    expect([error.code, error.reason]).toEqual(["FUNCTION_FAILED", "threw"]);
    expect(error.message).toBe('Cannot run step "mine": the function threw an error');
    const thrown = (error.cause as MillraceError).cause as Error;
    expect(thrown.message).toBe("RangeError: password is hunter2");
    expect(thrown.stack).toContain("step-0.mjs");
  });

  test.each([
    ["a text", 'throw "no error"'],
    ["nothing", "throw undefined"],
    ["what throws when it is looked at", "throw new Proxy({}, { get() { throw 1; } })"],
    ["an error that cannot be sent", "throw Object.assign(new Error('e'), { f() {} })"],
  ])("survives a function that throws %s", async (_name, body) => {
    await using mine = new TestFunctions();
    const step = await mine.step(`if (x[0] === 1) { ${body} } return { y: [7] };`);
    expect((await failureOf(y(step, 1))).code).toBe("FUNCTION_FAILED");
    expect(await y(step, 2)).toBe(7);
  });

  test.each([
    ["return { y: [[1, 2]] }", 'gave output "y" with shape [1, 2], expected FP32 [-1]'],
    ["return { y: { shape: [2], data: Float32Array.of(1) } }", 'gave output "y" with 1 elements'],
    ["return { z: [1] }", 'gave unknown output "z", expected "y"'],
    ["return {}", 'gave no output "y", expected FP32 [-1]'],
    ["", 'gave nothing, expected an object with "y"'],
  ])("names the output that is wrong in %s", async (body, state) => {
    await using mine = new TestFunctions();
    const [code, reason, message] = await refusalOf(y(await mine.step(body), 1));
    expect([code, reason]).toEqual(["FUNCTION_FAILED", "output"]);
    expect(message).toContain(`Cannot run step "mine": the function ${state}`);
  });

  test("does not take memory away that the function keeps", async () => {
    await using mine = new TestFunctions();
    const head = "const table = Float32Array.of(5, 6, 7);";
    const step = await mine.step(
      "return { y: { shape, data: table.subarray(x[0], x[0] + 1) } };",
      {},
      head,
    );
    expect([await y(step, 1), await y(step, 1), await y(step, 2)]).toEqual([6, 6, 7]);
  });

  test("logs what a function prints and bounds it", async () => {
    await using mine = new TestFunctions();
    const step = await mine.step(`
      console.log("row", x[0]); console.error("careful");
      for (let i = 0; i < 5000; i++) console.log("flood");
      return { y: [1] };`);
    await y(step, 3);
    await mine.log.until("lines a second");
    expect(mine.log.lines).toContain("info: row 3");
    expect(mine.log.lines).toHaveLength(101);
  });
});

describe("threads", () => {
  test("a function that loops for ever is ended at its timeout and its thread replaced", async () => {
    await using mine = new TestFunctions();
    const other = await mine.step("return { y: [x[0]] }");
    const step = await mine.step("if (x[0] === 1) for (;;); return { y: [2] };", {
      timeoutMs: 100,
    });
    const startMs = performance.now();
    const [looping, waiting] = [y(step, 1), y(step, 2)];
    expect(await y(other, 9)).toBe(9);
    expect(await refusalOf(looping)).toEqual([
      "FUNCTION_FAILED",
      "timeout",
      'Cannot run step "mine": the function took longer than 100 ms, its thread was ended',
    ]);
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(await waiting).toBe(2);
    expect(mine.log.lines).toContain("warn: Thread is ended: a call took longer than 100 ms");
  });

  test("a function that never settles is ended at its timeout", async () => {
    await using mine = new TestFunctions();
    const step = await mine.step("await new Promise(() => setInterval(() => 0, 1000))", {
      timeoutMs: 50,
    });
    expect((await failureOf(y(step, 1))).reason).toBe("timeout");
  });

  test.each([
    ["process.exit(7)", "crash", "its thread ended with exit code 7"],
    [
      "setTimeout(() => { throw new Error('late') }); await new Promise(() => 0)",
      "crash",
      "an error nobody handled",
    ],
    [
      "void Promise.reject(new Error('lost')); await new Promise(() => 0)",
      "crash",
      "an error nobody handled",
    ],
    ["const all = []; for (;;) all.push({})", "memory", "used more memory than it may"],
    ["const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1))", "memory", "more memory"],
  ])("%s fails its own call and the next one is answered", async (body, reason, state) => {
    await using mine = new TestFunctions({ memoryBytesMax: 96 * 1024 * 1024 });
    const step = await mine.step(`if (x[0] === 1) { ${body} } return { y: [2] };`);
    const [failing, next] = [y(step, 1), y(step, 2)];
    const [code, foundReason, message] = await refusalOf(failing);
    expect([code, foundReason]).toEqual(["FUNCTION_FAILED", reason]);
    expect(message).toContain(state);
    expect(await next).toBe(2);
  });

  test("messages that the function's own code sends from its thread are nobody's", async () => {
    await using mine = new TestFunctions();
    const port = '(await import("node:worker_threads")).parentPort';
    const body = `for (const message of [null, "ready", { kind: "x" }, []]) ${port}.postMessage(message);`;
    const step = await mine.step(`${body} return { y: [2] };`);
    expect(await y(step, 1)).toBe(2);
  });

  test("a thread that keeps ending is started again ever more patiently", async () => {
    await using mine = new TestFunctions();
    const step = await mine.step("process.exit(1)");
    const startMs = performance.now();
    for (let i = 0; i < 4; i++) await failureOf(y(step, 1));
    expect(performance.now() - startMs).toBeGreaterThan(100 + 200);
    const deadlineAtMs = systemClock.nowMs() + 50;
    const [code, reason, message] = await refusalOf(y(step, 1, { deadlineAtMs }));
    expect([code, reason]).toEqual(["EXECUTOR_LOST", "crash"]);
    expect(message).toContain("the threads of the function keep ending");
    expect(mine.log.lines.at(-1)).toBe(
      "error: Thread ended with exit code 1; it is started again in 400 ms",
    );
  });

  test("a thread that is started again runs the file as it was", async () => {
    await using mine = new TestFunctions();
    const spec = '{ datatype: "FP32", shape: [-1] }';
    const source = (
      value: number,
    ): string => `export default { inputs: { x: ${spec} }, outputs: { y: ${spec} },
      run({ x }) { if (x.data[0] === 1) process.exit(1); return { y: [${value}] }; } };`;
    const path = mine.file("live.mjs", source(5));
    const step = await mine.load(path);
    writeFileSync(path, source(6));
    await failureOf(y(step, 1));
    expect(await y(step, 2)).toBe(5);
    const again = await mine.load(path);
    expect(await y(again, 2)).toBe(6);
    expect(again.digest).not.toBe(step.digest);
  });

  test("calls run side by side on as many threads as there are, and one at a time on each", async () => {
    await using mine = new TestFunctions();
    const head = 'import { threadId } from "node:worker_threads"; let running = 0;';
    const body = `running++;
      await new Promise((done) => setTimeout(done, 20));
      return { y: [threadId * 10 + running--] };`;
    const step = await mine.step(body, { threads: 2 }, head);
    const answers = await Promise.all([1, 2, 3, 4].map((x) => y(step, x)));
    expect(answers.map((answer) => answer % 10)).toEqual([1, 1, 1, 1]);
    expect(new Set(answers).size).toBe(2);
  });

  test("one call more than may wait is refused, and the others are answered", async () => {
    await using mine = new TestFunctions();
    const step = await mine.step(
      "await new Promise((done) => setTimeout(done, 50)); return { y: [x[0]] };",
      { queue: 2 },
    );
    const calls = [1, 2, 3].map((x) => y(step, x));
    const error = await failureOf(y(step, 4));
    expect([error.code, error.reason, error.retryAfterSeconds]).toEqual(["OVERLOADED", "queue", 1]);
    expect(error.message).toContain("2 calls wait for a thread of the function, the limit is 2");
    expect(await Promise.all(calls)).toEqual([1, 2, 3]);
  });

  test("a call whose caller leaves is aborted inside the function and its thread stays", async () => {
    await using mine = new TestFunctions();
    const head = "let aborts = 0; const born = performance.timeOrigin;";
    const body = `if (x[0] === 1) {
        console.log("waiting");
        await new Promise((done) => context.signal.addEventListener("abort", done));
        aborts++;
      }
      return { y: [aborts] };`;
    const step = await mine.step(body, {}, head);
    const cancellation = new Cancellation();
    const reason = new MillraceError("CANCELLED", "Cannot predict: the client has gone");
    const left = y(step, 1, { cancellation });
    await mine.log.until("waiting");
    cancellation.cancel(reason);
    expect(await failureOf(left)).toBe(reason);
    expect(await y(step, 2)).toBe(1);
    expect(cancellation.watcherCount).toBe(0);
  });

  test("a call that waits is dropped when its caller leaves", async () => {
    await using mine = new TestFunctions();
    const head = "let calls = 0;";
    const step = await mine.step(
      "await new Promise((done) => setTimeout(done, 50)); return { y: [++calls] };",
      {},
      head,
    );
    const cancellation = new Cancellation();
    const first = y(step, 1);
    const left = y(step, 2, { cancellation });
    cancellation.cancel(new MillraceError("CANCELLED", "Cannot predict: gone"));
    expect((await failureOf(left)).code).toBe("CANCELLED");
    expect(await first).toBe(1);
    expect(await y(step, 3)).toBe(2);
  });

  test("a call ends at the deadline of its caller, and does not take the thread with it", async () => {
    await using mine = new TestFunctions();
    const body = `if (x[0] === 1) await new Promise((done) => context.signal.addEventListener("abort", done));
      return { y: [++calls] };`;
    const step = await mine.step(body, {}, "let calls = 0;");
    const deadlineAtMs = systemClock.nowMs() + 50;
    const [late, waiting] = [y(step, 1, { deadlineAtMs }), y(step, 1, { deadlineAtMs })];
    for (const call of [late, waiting]) {
      expect(await refusalOf(call)).toEqual([
        "DEADLINE_EXCEEDED",
        undefined,
        'Cannot run step "mine": the deadline passed before the function had ended',
      ]);
    }
    expect(await y(step, 2)).toBe(2);
    expect(mine.log.lines).toEqual([]);
  });

  test("close() waits for the call under way and refuses the others", async () => {
    await using mine = new TestFunctions();
    const step = await mine.step(
      "await new Promise((done) => setTimeout(done, 50)); return { y: [x[0]] };",
    );
    const [running, waiting] = [y(step, 1), y(step, 2)];
    const refused = failureOf(waiting);
    await step.close();
    expect(await running).toBe(1);
    expect((await refused).code).toBe("MODEL_NOT_READY");
    expect((await failureOf(y(step, 3))).code).toBe("MODEL_NOT_READY");
  });
});

describe("the process", () => {
  test("ends by itself when its functions are idle, and its output is its own", async () => {
    await using mine = new TestFunctions();
    const parts = new URL("./function-parts.ts", import.meta.url).href;
    const program = mine.file(
      "program.mts",
      `import { TestFunctions } from ${JSON.stringify(parts)};
       const mine = new TestFunctions();
       const { step } = await mine.step("console.log('printed'); return { y: [1] };");
       const x = { name: "x", datatype: "FP32", shape: [1], data: new Float32Array(1) };
       const { outputs } = await step.run([x], { deadlineAtMs: Infinity, request: {} });
       console.log(outputs[0].data[0], mine.log.lines.join());`,
    );
    const args = ["--conditions=@millrace/source", program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 20_000 });
    expect(stdout).toBe("1 info: printed\n");
  });
});

describe("load()", () => {
  test("gives the records of all keys in the order of the rows", async () => {
    await using mine = new TestFunctions();
    const features = await mine.load(fixture("features.ts"), {}, "load");
    expect(features.step).toMatchObject({
      kind: "load",
      inputs: [{ name: "id", datatype: "BYTES", shape: [-1] }],
    });
    expect(await outputsOf(features, [texts("id", "b", "a", "b")])).toEqual([
      floats("features", [3, 2], 3, 4, 1, 2, 3, 4),
      texts("name", "second", "first", "second"),
    ]);
  });

  test("names the keys that have no data", async () => {
    await using mine = new TestFunctions();
    const features = await mine.load(fixture("features.ts"), {}, "load");
    const error = await failureOf(outputsOf(features, [texts("id", "a", "x", "y")]));
    expect(error).toMatchObject({
      code: "DATA_NOT_FOUND",
      message: 'Cannot run step "mine": no data for id "x" (and 1 more)',
      problems: [
        { location: ["body", "id", 1], message: 'no data for "x"' },
        { location: ["body", "id", 2], message: 'no data for "y"' },
      ],
    });
  });
});

describe("combine()", () => {
  test("makes one answer of the branches that are there", async () => {
    await using mine = new TestFunctions();
    const source = await mine.functions.combine(fixture("highest.ts"));
    const { combiner, digest } = source;
    expect(combiner).toMatchObject({ kind: "highest", prediction: "all" });
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    const step = new TestStep("iris", { labels: ["yes"] });
    const results = [
      { branch: { name: "a", step }, outputs: [floats("y", [2, 2], 0.5, 0, 0.1, 0)] },
      { branch: { name: "b", step }, outputs: [floats("y", [2, 2], 0.2, 0, 0.75, 0)] },
    ];
    expect(await combiner.combine(results, testContext(systemClock))).toEqual([
      { name: "highest", datatype: "FP64", shape: [2], data: Float64Array.of(0.5, 0.75) },
      { name: "branches", datatype: "INT64", shape: [2], data: BigInt64Array.of(2n, 2n) },
      texts("labels", "yes yes", "yes yes"),
    ]);
    await source.close();
  });
});

describe("loading", () => {
  const spec = '{ datatype: "FP32", shape: [-1] }';

  test.each([
    [
      "none.mjs",
      "export const x = 1;",
      "it has no default export, expected export default defineStep({ inputs, outputs, run })",
    ],
    ["number.mjs", "export default 1;", "its default export is a number, expected"],
    [
      "syntax.mjs",
      "const a = 1;\nconst b = ;",
      "its import failed: SyntaxError: Unexpected token ';' (line 2)",
    ],
    [
      "types.ts",
      "const a = 1;\nenum Kind { b }",
      "its import failed: SyntaxError: TypeScript enum is not supported in strip-only mode (line 2)",
    ],
    ["import.mjs", 'import "./gone.mjs";', "its import failed: Error: Cannot find module"],
    [
      "throws.mjs",
      'throw new Error("no database");',
      "its import failed: Error: no database (line 1)",
    ],
    ["exits.mjs", "process.exit(3);", "its thread ended with exit code 3"],
    [
      "slow.mjs",
      "await new Promise(() => setInterval(() => 0, 1e6));",
      "its import took longer than 1500 ms",
    ],
    ["loops.mjs", "for (;;);", "its import took longer than 1500 ms"],
    [
      "datatype.mjs",
      `export default { inputs: { x: { datatype: "FLOAT", shape: [-1] } }, outputs: { y: ${spec} }, run() {} };`,
      'inputs.x.datatype: found "FLOAT", expected one of BOOL, UINT8',
    ],
    [
      "load.mjs",
      `export default { key: "id", outputs: { y: ${spec} }, load() {} };`,
      'its default export has no function "run", but "load", which is for "load: <file>"',
    ],
  ])("says what is wrong with %s", async (name, source, why) => {
    await using mine = new TestFunctions({ loadMsMax: 1500 });
    const path = mine.file(name, source);
    const error = await failureOf(mine.load(path));
    expect(error.code).toBe("MODEL_LOAD_FAILED");
    expect(error.message).toContain(`Cannot load function "${path}": ${why}`);
  });

  test("says that a file does not exist or is no JavaScript", async () => {
    await using mine = new TestFunctions();
    const gone = await failureOf(mine.load("/nowhere/prepare.ts"));
    expect(gone.message).toBe(
      'Cannot load function "/nowhere/prepare.ts": the file does not exist',
    );
    const python = await failureOf(mine.load(mine.file("prepare.py", "")));
    expect(python.message).toContain('its name ends in ".py", expected .ts, .mts, .js, .mjs');
  });

  test("the files that docs/functions.md shows load", async () => {
    await using mine = new TestFunctions();
    const page = readFileSync(new URL("../../docs/functions.md", import.meta.url), "utf8");
    const shown = [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? "");
    expect(shown).toHaveLength(3);
    const [step = "", load = "", combine = ""] = shown;
    expect((await mine.load(mine.file("a.ts", step))).step.outputs).toHaveLength(1);
    expect((await mine.load(mine.file("b.ts", load), {}, "load")).step.outputs).toHaveLength(1);
    const source = await mine.functions.combine(mine.file("c.ts", combine));
    expect(source.combiner.outputs).toHaveLength(1);
    await source.close();
  });

  test("knows a file by its content, whatever its options", async () => {
    await using mine = new TestFunctions();
    const a = await mine.load(fixture("scale.ts"));
    const b = await mine.load(fixture("scale.ts"), { timeoutMs: 5 });
    expect(a.digest).toBe(b.digest);
    expect(a.digest).toMatch(/^[0-9a-f]{64}$/);
  });
});
