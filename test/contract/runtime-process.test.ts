import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { POSTED_MAX } from "../../packages/millrace/src/adapters/runtime-process/loaded-process-model.ts";
import { ProcessRuntime } from "../../packages/millrace/src/adapters/runtime-process/runtime-process.ts";
import type { MillraceError } from "../../packages/millrace/src/core/errors.ts";
import type { TensorData } from "../../packages/millrace/src/core/tensor/datatype.ts";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import type {
  LoadedModel,
  ModelProgram,
  Runtime,
} from "../../packages/millrace/src/ports/runtime.ts";
import { testPython } from "../../tools/test-venv.ts";
import { eventually, isRunning, ROOT } from "../e2e/millrace-process.ts";
import { describeRuntimeContract } from "./runtime-contract.ts";

const PROGRAMS = join(ROOT, "test/fixtures/programs");

/** Without the packages that are installed for it, numpy among them. */
const PLAIN_PYTHON = [testPython(), "-S"];

interface Line {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const lines: Line[] = [];
const record = (fields: object, text: string): void =>
  void lines.push({ fields: fields as Line["fields"], text });
const LOG = { debug: record, info: record, warn: record, error: record };

function createRuntime(): ProcessRuntime {
  return new ProcessRuntime({
    log: LOG,
    environment: { ...process.env, TOKEN: "of the server" },
    pythonFolder: join(ROOT, "packages/millrace/python"),
  });
}

function programOf(
  command: readonly string[],
  overrides: Partial<ModelProgram> = {},
): ModelProgram {
  return {
    model: "model",
    command,
    folder: PROGRAMS,
    files: [],
    hasSource: true,
    env: {},
    startMs: 20_000,
    ...overrides,
  };
}

/** The runtime as the contract knows one: given a file, it knows which program serves it. */
function contractRuntime(python: readonly string[]): Runtime {
  const runtime = createRuntime();
  const program = programOf([...python, "contract_model.py", "{source}"]);
  return {
    name: runtime.name,
    platform: runtime.platform,
    load: (file, signal) => runtime.load({ ...file, program }, signal),
  };
}

const models = { add: join(PROGRAMS, "add.json"), gather: join(PROGRAMS, "gather.json") };

describeRuntimeContract({
  name: "process",
  create: () => contractRuntime(PLAIN_PYTHON),
  models,
});

const open: LoadedModel[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.close()));
  lines.length = 0;
});

async function hostile(mode: string, overrides: Partial<ModelProgram> = {}): Promise<LoadedModel> {
  const program = programOf([testPython(), "hostile_program.py", mode], {
    hasSource: false,
    ...overrides,
  });
  const file = { path: PROGRAMS, sha256: undefined, threads: 1, program };
  const model = await createRuntime().load(file);
  open.push(model);
  return model;
}

function row(value: number): Tensor[] {
  return [{ name: "x", datatype: "FP32", shape: [1, 2], data: Float32Array.of(value, 1) }];
}

async function yOf(model: LoadedModel, value: number): Promise<TensorData | undefined> {
  return (await model.run(row(value), ["y"])).outputs[0]?.data;
}

async function failureOf(work: Promise<unknown>): Promise<MillraceError> {
  return work.then(
    () => expect.unreachable("it did not fail"),
    (error: unknown) => error as MillraceError,
  );
}

function lostOf(model: LoadedModel): Promise<MillraceError> {
  return new Promise((resolve) => model.onLost(resolve));
}

function pidOf(): number {
  return lines.find(({ fields }) => "programPid" in fields)?.fields["programPid"] as number;
}

describe("millrace_process", () => {
  const VALUES: [Tensor["datatype"], TensorData][] = [
    ["BOOL", new Uint8Array([0, 1])],
    ["UINT8", new Uint8Array([0, 255])],
    ["UINT16", new Uint16Array([0, 65535])],
    ["UINT32", new Uint32Array([0, 4294967295])],
    ["UINT64", new BigUint64Array([0n, 2n ** 64n - 1n])],
    ["INT8", new Int8Array([-128, 127])],
    ["INT16", new Int16Array([-32768, 32767])],
    ["INT32", new Int32Array([-2147483648, 2147483647])],
    ["INT64", new BigInt64Array([-(2n ** 63n), 2n ** 53n + 1n])],
    ["FP16", new Uint16Array([0x3c00, 0xfc00])],
    ["FP32", new Float32Array([NaN, -Infinity])],
    ["FP64", new Float64Array([Number.MIN_VALUE, NaN])],
    ["BYTES", ["", "Grüße 😀"]],
  ];

  const CASES = VALUES.flatMap(([datatype, data]) => [
    [datatype, "arrays of numpy", [testPython()], data] as const,
    [datatype, "lists", PLAIN_PYTHON, data] as const,
  ]);

  test.each(CASES)(
    "run() keeps every bit of %s on both ways as %s",
    async (datatype, _form, python, data) => {
      const folder = await mkdtemp(join(tmpdir(), "millrace-identity-"));
      const path = join(folder, "identity.json");
      await writeFile(path, JSON.stringify({ model: "identity", datatype }));
      const model = await contractRuntime(python).load({ path, sha256: undefined, threads: 1 });
      open.push(model);
      const input: Tensor = { name: "INPUT", datatype, shape: [1, 2], data };
      const { outputs } = await model.run([input], ["OUTPUT"]);
      expect(outputs).toEqual([{ ...input, name: "OUTPUT" }]);
      await rm(folder, { recursive: true });
    },
  );

  test.each([
    ["INT64", 1.5],
    ["INT32", NaN],
    ["UINT8", 300],
    ["BOOL", 2],
  ] as const)("run() fails when an output of %s would have to become %d", async (output, value) => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-identity-"));
    const path = join(folder, "cast.json");
    await writeFile(path, JSON.stringify({ model: "identity", datatype: "FP64", output }));
    const model = await contractRuntime([testPython()]).load({
      path,
      sha256: undefined,
      threads: 1,
    });
    open.push(model);
    const run = (data: Float64Array): ReturnType<LoadedModel["run"]> =>
      model.run([{ name: "INPUT", datatype: "FP64", shape: [1, 2], data }], ["OUTPUT"]);
    const { outputs } = await run(Float64Array.of(1, 0));
    expect([...(outputs[0] as Tensor).data].map(Number)).toEqual([1, 0]);
    expect((await failureOf(run(Float64Array.of(1, value)))).code).toBe("MODEL_FAILED");
    await rm(folder, { recursive: true });
  });

  test.each([
    ["arrays of numpy", [testPython()], 2],
    ["lists", PLAIN_PYTHON, 0],
  ])("run() gives no rows of %s when there are none", async (_form, python, width) => {
    const path = join(PROGRAMS, "identity-fp32.json");
    const model = await contractRuntime(python).load({ path, sha256: undefined, threads: 1 });
    open.push(model);
    const data = new Float32Array(0);
    const none: Tensor = { name: "INPUT", datatype: "FP32", shape: [0, 2], data };
    const { outputs } = await model.run([none], ["OUTPUT"]);
    // Lists do not know the extents inside of none.
    expect(outputs).toEqual([{ ...none, name: "OUTPUT", shape: [0, width] }]);
  });
});

test("millrace_process listens on a port when the command asks for one", async () => {
  const program = programOf([testPython(), "contract_model.py", "{source}", "{port}"]);
  const file = { path: models.gather, sha256: undefined, threads: 1, program };
  const model = await createRuntime().load(file);
  open.push(model);
  const data = BigInt64Array.of(2n, 0n);
  const { outputs } = await model.run(
    [{ name: "INDEX", datatype: "INT64", shape: [2], data }],
    ["VALUE"],
  );
  expect(outputs[0]?.data).toEqual(Float32Array.of(30, 10));
});

describe("load()", () => {
  test.each([
    ["exit", "its program exited with code 3: RuntimeError: no such model"],
    ["abort", "its program was ended by SIGSEGV"],
    ["unknown-model", 'GET /v2/models/model answered 404: {"error": "there is no such model"}'],
    ["garbage-metadata", "Cannot parse JSON"],
    ["odd-metadata", 'body.outputs.0.datatype: found "FP31"'],
  ])("says why when a program does this: %s", async (mode, why) => {
    const error = await failureOf(hostile(mode));
    expect(error).toMatchObject({ code: "MODEL_LOAD_FAILED" });
    expect(error.message).toContain(`Cannot load model "${PROGRAMS}": `);
    expect(error.message).toContain(why);
  });

  test.each([
    ["silent", 0.3, "it does not listen"],
    ["never-ready", 2, "GET /v2/health/ready answered 503"],
  ])("gives up after the start's time when a program is %s", async (mode, seconds, why) => {
    const { message } = await failureOf(hostile(mode, { startMs: seconds * 1000 }));
    expect(message).toContain(`its program is not ready after ${seconds} s: ${why}`);
  });

  test("says that a program cannot be started when there is none", async () => {
    const program = { command: ["no-such-program"] };
    expect((await failureOf(hostile("", program))).message).toContain("cannot be started");
    const folder = { folder: "/no/such/folder" };
    expect((await failureOf(hostile("", folder))).message).toContain("cannot be started");
  });

  test("ends the program when it is aborted", async () => {
    const stop = new AbortController();
    const program = programOf([testPython(), "hostile_program.py", "never-ready"], {
      hasSource: false,
    });
    const file = { path: PROGRAMS, sha256: undefined, threads: 1, program };
    const loading = createRuntime().load(file, stop.signal);
    setTimeout(() => stop.abort(new Error("no longer wanted")), 100);
    await expect(loading).rejects.toThrow("no longer wanted");
  });

  test("gives a program where things are, its own variables, and none of the server's secrets", async () => {
    await hostile("environment", { env: { OWN: "{model} on {threads}", PYTHONPATH: "/own" } });
    const printed = await eventually(() => lines.find(({ text }) => text.startsWith("{")), "it");
    const environment = JSON.parse(printed.text) as Record<string, string>;
    expect(environment).toMatchObject({
      PATH: process.env["PATH"],
      OWN: "model on 1",
      MILLRACE_MODEL: "model",
      MILLRACE_THREADS: "1",
      OMP_NUM_THREADS: "1",
      PYTHONPATH: `/own:${join(ROOT, "packages/millrace/python")}`,
    });
    expect(environment["MILLRACE_SOCKET"]).toMatch(/millrace-programs-\w+\/1$/);
    expect(environment).not.toHaveProperty("TOKEN");
    expect(environment).not.toHaveProperty("MILLRACE_PORT");
  });

  test("refuses a source that changes while the program reads it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-rewrite-"));
    const path = join(folder, "model.bin");
    await writeFile(path, "some");
    const program = programOf([testPython(), "hostile_program.py", "rewrite"]);
    const loading = createRuntime().load({ path, sha256: undefined, threads: 1, program });
    expect((await failureOf(loading)).message).toBe(
      `Cannot load model "${path}": it was changed while it was loaded`,
    );
    await rm(folder, { recursive: true });
  });

  test("talks to a port when the program asks for one", async () => {
    const model = await hostile("fine", { env: { ANYTHING: "{port}" } });
    expect(await yOf(model, 5)).toEqual(Float32Array.of(5, 1));
  });

  test("counts the source, the command and its files to what a version is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-digest-"));
    const script = join(folder, "note.txt");
    await writeFile(script, "one");
    const digest = async (path: string, word: string): Promise<string> => {
      const command = [testPython(), "contract_model.py", "{source}", word];
      const program = programOf(command, { files: [script] });
      const model = await createRuntime().load({ path, sha256: undefined, threads: 1, program });
      open.push(model);
      return model.description.sha256;
    };
    const first = await digest(models.add, "a");
    expect(await digest(models.add, "a")).toBe(first);
    expect(await digest(models.gather, "a")).not.toBe(first);
    expect(await digest(models.add, "b")).not.toBe(first);
    await writeFile(script, "two");
    expect(await digest(models.add, "a")).not.toBe(first);
    await rm(folder, { recursive: true });
  });
});

describe("run()", () => {
  test.each([
    "wrong-shape",
    "wrong-datatype",
    "wrong-name",
    "few-elements",
    "text",
    "not-json",
    "length-header",
  ])("rejects with MODEL_FAILED when the answer has this: %s", async (mode) => {
    const error = await failureOf((await hostile(mode)).run(row(1), ["y"]));
    expect(error).toMatchObject({ code: "MODEL_FAILED", cause: expect.any(Error) as unknown });
    expect(error.message).toContain("gave an answer that does not fit the model");
  });

  test("rejects all runs with EXECUTOR_LOST when the program dies in one", async () => {
    const model = await hostile("die");
    const lost = lostOf(model);
    const runs = await Promise.all([-1, 1].map((value) => failureOf(model.run(row(value), ["y"]))));
    expect(runs.map(({ code }) => code)).toEqual(["EXECUTOR_LOST", "EXECUTOR_LOST"]);
    expect(runs[0]?.message).toBe("Cannot run the model: its program exited with code 7");
    expect(await lost).toBe(runs[0]);
    expect((await failureOf(model.run(row(1), ["y"]))).code).toBe("EXECUTOR_LOST");
  });

  test.each(["reset", "no-http"])("kills a program whose connection breaks: %s", async (mode) => {
    const model = await hostile(mode);
    const lost = lostOf(model);
    expect((await failureOf(model.run(row(-1), ["y"]))).code).toBe("EXECUTOR_LOST");
    expect((await lost).cause).toBeInstanceOf(Error);
  });

  test.each([NaN, -Infinity])("refuses %d when the program takes only JSON", async (value) => {
    const error = await failureOf((await hostile("fine")).run(row(value), ["y"]));
    expect(error).toMatchObject({
      code: "INVALID_TENSOR",
      problems: [{ location: ["inputs", "x", 0], type: "range" }],
    });
  });

  test("goes on when the program closes the connection after each answer", async () => {
    const model = await hostile("closes");
    for (const value of [1, 2, 3])
      expect(await yOf(model, value)).toEqual(Float32Array.of(value, 1));
  });

  test("ends a run that hangs when the model is closed", async () => {
    const model = await hostile("hang");
    const running = failureOf(model.run(row(-1), ["y"]));
    const startMs = performance.now();
    await model.close();
    expect(performance.now() - startMs).toBeLessThan(4_000); // SIGTERM was enough
    expect((await running).code).toBe("EXECUTOR_LOST");
  });

  test("does not send a run that waited when the model was closed", async () => {
    const model = await hostile("hang");
    const running = failureOf(model.run(row(-1), ["y"]));
    const waiting = failureOf(model.run(row(1), ["y"]));
    await model.close();
    expect((await running).code).toBe("EXECUTOR_LOST");
    expect(await waiting).toMatchObject({
      code: "EXECUTOR_LOST",
      message: "Cannot run the model: its program was ended before this run was sent",
    });
  });

  test("refuses one run more than the limit, and takes runs again when they have ended", async () => {
    const model = await hostile("fine");
    const runs = Array.from({ length: POSTED_MAX }, () => model.run(row(1), ["y"]));
    const error = await failureOf(model.run(row(1), ["y"]));
    expect(error).toMatchObject({ code: "OVERLOADED", reason: "queue" });
    await Promise.all(runs);
    expect(await yOf(model, 2)).toEqual(Float32Array.of(2, 1));
  });

  test("stops a run that waits when it is aborted", async () => {
    const model = await hostile("hang");
    void model.run(row(-1), ["y"]).catch(() => undefined);
    const stop = new AbortController();
    const waiting = model.run(row(1), ["y"], { signal: stop.signal });
    const thrown = waiting.catch((error: unknown) => error);
    stop.abort(new Error("too late"));
    await model.close();
    expect(await thrown).toEqual(new Error("too late"));
  });
});

describe("output", () => {
  test("of a program that floods is passed on in part, and the rest is counted", async () => {
    const model = await hostile("flood");
    expect(await yOf(model, 1)).toEqual(Float32Array.of(1, 1));
    await model.close();
    const { fields, text } = lines.at(-1) as Line;
    expect(text).toMatch(/^\d+ lines of the program were left out$/);
    expect(fields["lineCount"]).toBeGreaterThan(10_000);
    expect(lines.length).toBeLessThan(1_000);
    expect(Math.max(...lines.map((line) => line.text.length))).toBeLessThanOrEqual(2_001);
  });
});

describe("the end", () => {
  test("close() kills a program that ignores SIGTERM", async () => {
    const model = await hostile("ignore");
    const running = failureOf(model.run(row(-1), ["y"]));
    await model.close();
    expect((await running).code).toBe("EXECUTOR_LOST");
  });

  test("close() ends what the program has started as well", async () => {
    const model = await hostile("fork");
    const printed = await eventually(
      () => lines.find(({ text }) => text.startsWith("child ")),
      "it",
    );
    const childPid = Number(printed.text.split(" ")[1]);
    expect(isRunning(childPid)).toBe(true);
    await model.close();
    expect(pidOf()).toBeGreaterThan(0);
    await eventually(() => !isRunning(childPid) && !isRunning(pidOf()), "the end of both");
  });
});
