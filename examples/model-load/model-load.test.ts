import { copyFile, rename, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { expectGolden, goldenCases, rowsOf } from "../golden.ts";
import { describeReadme, everyProcessLogs } from "../run-readme.ts";

describeReadme("model-load");

const GOLDEN: Readonly<Record<string, string>> = {
  "iris@1": "iris_svc.onnx",
  "iris@2": "v2/iris_svc.onnx",
};

describe("model-load", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;
  let callers: Caller[];

  beforeAll(async () => {
    example = await copyExample("model-load");
    await deploy(example.path, "../models/iris_svc.onnx");
    millrace = await MillraceProcess.start(["up", example.path]);
    callers = Array.from({ length: 8 }, () => new Caller(`${millrace.url}/predict`));
  });
  afterAll(async () => {
    for (const caller of callers) caller.close();
    await millrace.stop();
    await example.remove();
  });

  it("source is switched without a failed request when its file is replaced under traffic", async () => {
    await Promise.all(callers.map((caller) => caller.call(20)));
    const isSwitched = deploy(example.path, "../models/v2/iris_svc.onnx").then(() =>
      everyProcessLogs(millrace, { message: "Model iris@2 serves" }),
    );
    await Promise.all(callers.map((caller) => caller.callUntil(isSwitched)));
    await Promise.all(callers.map((caller) => caller.call(20)));

    for (const { answers } of callers) {
      expect(answers.filter((answer) => answer.status !== 200)).toEqual([]);
      expect(answers.slice(1).every((answer) => answer.isSameConnection)).toBe(true);
      const models = answers.map((answer) => answer.model);
      expect(new Set(models.slice(0, 20))).toEqual(new Set(["iris@1"]));
      expect(new Set(models.slice(-20))).toEqual(new Set(["iris@2"]));
      expect(models).toEqual(models.toSorted()); // never back
    }
  });

  it("every answer is that of the model it names when the model changes in between", () => {
    for (const { model, prediction } of callers.flatMap((caller) => caller.answers)) {
      const [golden] = goldenCases(GOLDEN[model] ?? "");
      expectGolden([prediction], rowsOf(golden?.outputs["output_probability"]));
    }
  });

  it("source keeps the old model when the new file is broken under traffic", async () => {
    const isRefused = deployBytes(example.path, Buffer.from("not a model")).then(() =>
      everyProcessLogs(millrace, { level: "error", serving: "iris@2" }),
    );
    await Promise.all(callers.map((caller) => caller.callUntil(isRefused)));
    await Promise.all(callers.map((caller) => caller.call(20)));
    for (const { answers } of callers) {
      const last = answers.slice(-20);
      expect(new Set(last.map(({ status, model }) => `${status} ${model}`))).toEqual(
        new Set(["200 iris@2"]),
      );
    }
    const health = (await (await fetch(`${millrace.url}/health`)).json()) as { reason: string };
    expect(health).toMatchObject({ health: "ok" });
    expect(health.reason).toMatch(/^model iris keeps its earlier version: Cannot load/);
    expect(await metric(millrace, "model_stale")).toEqual(["1", "1"]);
  });

  it("source takes the next good file when a broken one came before", async () => {
    await deploy(example.path, "../models/iris_svc.onnx");
    await everyProcessLogs(millrace, { message: "Model iris loads again; iris@1 serves" });
    expect(await (await fetch(`${millrace.url}/health`)).json()).toEqual({ health: "ok" });
    expect(await metric(millrace, "model_stale")).toEqual(["0", "0"]);
  });
});

describe("model-load/pinned.yaml", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("model-load");
    await deploy(example.path, "../models/v2/iris_svc.onnx");
    millrace = await MillraceProcess.start(["up", join(example.path, "pinned.yaml")]);
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  it("sha256 refuses a sound model when it is not the one that was pinned", async () => {
    const [status] = millrace.facts.models;
    expect(status).toMatchObject({
      isReady: true,
      problem: expect.stringMatching(/061746.*6dc9d0/) as string,
    });
    const reply = await fetch(`${millrace.url}/predict/test`);
    expect(reply.headers.get("x-degraded")).toBe("fallback");
    const [golden] = goldenCases("iris_rf.onnx");
    const { prediction } = (await reply.json()) as { prediction: number[] };
    expectGolden([prediction], rowsOf(golden?.outputs["output_probability"]));
  });

  it("fallback is named in metadata, health, metrics and log when it serves", async () => {
    const metadata = (await (await fetch(`${millrace.url}/metadata`)).json()) as object;
    expect(metadata).toHaveProperty("fallback", expect.stringContaining("its sha256 is 061746"));
    const health = (await (await fetch(`${millrace.url}/health`)).json()) as { reason: string };
    expect(health.reason).toMatch(/^model iris-pinned serves its fallback: .*its sha256 is 061746/);
    expect(await metric(millrace, "model_fallback")).toEqual(["1", "1"]);
    await everyProcessLogs(millrace, { level: "warn", model: "iris-pinned@1" });
  });

  it("fallback ends when the pinned file arrives", async () => {
    await deploy(example.path, "../models/iris_svc.onnx");
    await everyProcessLogs(millrace, { message: "Model iris-pinned@2 serves" });
    const reply = await fetch(`${millrace.url}/predict/test`);
    expect(reply.headers.get("x-degraded")).toBeNull();
    expect(await metric(millrace, "model_fallback")).toEqual(["0", "0"]);
    expect(await (await fetch(`${millrace.url}/health`)).json()).toEqual({ health: "ok" });
  });
});

/** Replaces the model as a deployment does: copied beside, then renamed. */
async function deploy(example: string, model: string): Promise<void> {
  const next = join(example, "deployed/next");
  await copyFile(join(example, model), next);
  await rename(next, join(example, "deployed/iris.onnx"));
}

async function deployBytes(example: string, bytes: Uint8Array): Promise<void> {
  const next = join(example, "deployed/next");
  await writeFile(next, bytes);
  await rename(next, join(example, "deployed/iris.onnx"));
}

/** @returns the value of each process. */
async function metric(millrace: MillraceProcess, name: string): Promise<string[]> {
  const text = await (await fetch(millrace.facts.metrics ?? "")).text();
  return text
    .split("\n")
    .flatMap((line) =>
      line.startsWith(`${name}{`) ? [line.slice(line.lastIndexOf(" ") + 1)] : [],
    );
}

interface Answer {
  readonly status: number;
  readonly model: string;
  readonly prediction: unknown;
  readonly isSameConnection: boolean;
}

/** A client that keeps its one connection, as services do. */
class Caller {
  readonly answers: Answer[] = [];
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(url: string) {
    this.#url = url;
  }

  async call(count: number): Promise<void> {
    for (let i = 0; i < count; i++) this.answers.push(await this.#predict());
  }

  /** One request after the other until `event`, and at least one. */
  async callUntil(event: Promise<void>): Promise<void> {
    let isOver = false;
    const over = event.finally(() => (isOver = true));
    do this.answers.push(await this.#predict());
    while (!isOver);
    await over;
  }

  #predict(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request(this.#url, { method: "POST", agent: this.#agent }, (reply) => {
        let text = "";
        reply.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        reply.on("error", reject).on("end", () =>
          resolve({
            status: reply.statusCode ?? 0,
            model: String(reply.headers["x-model"]),
            prediction: (JSON.parse(text) as { prediction?: unknown }).prediction,
            isSameConnection: call.reusedSocket,
          }),
        );
      });
      call.on("error", reject).end('{"data": [[5.1, 3.5, 1.4, 0.2]]}');
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
