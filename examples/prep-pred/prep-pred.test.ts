import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess, ROOT } from "../../test/e2e/millrace-process.ts";
import { expectGolden, postJson } from "../golden.ts";
import { describeReadme, everyProcessLogs } from "../run-readme.ts";

describeReadme("prep-pred");

interface Golden {
  readonly rows: readonly (readonly number[])[];
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  readonly pairs: readonly {
    readonly prep: number;
    readonly pred: number;
    readonly accuracy: number;
    readonly probabilities: readonly (readonly number[])[];
  }[];
}

const FOLDER = join(ROOT, "examples/prep-pred");
const GOLDEN = JSON.parse(readFileSync(join(FOLDER, "golden.json"), "utf8")) as Golden;
const { rows } = GOLDEN;

const probabilitiesOf = (prep: number, pred: number): readonly (readonly number[])[] =>
  GOLDEN.pairs.find((pair) => pair.prep === prep && pair.pred === pred)?.probabilities ?? [];

interface Reply {
  readonly prediction: unknown;
  readonly code: string;
  readonly detail: string;
}

describe("prep-pred models", () => {
  it.each(Object.entries(GOLDEN.files))("%s is the file that golden.json means", (file, facts) => {
    const bytes = readFileSync(join(FOLDER, file));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect({ bytes: bytes.length, sha256 }).toEqual(facts);
  });

  it("pairs are right where preparation and prediction are of one training, and only there", () => {
    for (const { prep, pred, accuracy } of GOLDEN.pairs) {
      if (prep === pred) expect(accuracy).toBeGreaterThan(0.95);
      else expect(accuracy).toBeLessThan(0.7);
    }
  });
});

describe("prep-pred", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess | undefined;

  beforeEach(async () => {
    example = await copyExample("prep-pred");
  });
  afterEach(async () => {
    await millrace?.stop();
    millrace = undefined;
    await example.remove();
  });

  const at = (...parts: string[]): string => join(example.path, ...parts);
  const start = async (): Promise<MillraceProcess> =>
    (millrace = await MillraceProcess.start(["up", example.path]));
  const ask = (process: MillraceProcess, path = "/predict") =>
    postJson<Reply>(`${process.url}${path}`, { data: rows });
  const health = async (process: MillraceProcess, path = ""): Promise<unknown> =>
    (await fetch(`${process.url}/health${path}`)).json();

  it.each([1, 2])("pair %i gives what the training gave", async (version) => {
    for (const part of ["prep", "pred"]) {
      await rm(at(part, String(3 - version)), { recursive: true });
    }
    const { body, headers } = await ask(await start());
    expect(headers.get("x-model")).toBe(`prep@${version}, pred@${version}`);
    expectGolden(body.prediction, probabilitiesOf(version, version));
  });

  it("versions: together never runs parts of two pairs when a new pair comes under load", async () => {
    await rename(at("prep/2"), at("later-prep"));
    await rename(at("pred/2"), at("later-pred"));
    const process = await start();
    let isDone = false;
    const pairs = new Set<string>();
    const clients = Array.from({ length: 4 }, async () => {
      while (!isDone) {
        const { headers, status } = await ask(process);
        pairs.add(`${status} ${headers.get("x-model") ?? ""}`);
      }
    });
    await rename(at("later-pred"), at("pred/2"));
    await everyProcessLogs(process, { message: "Model pred@2 serves" });
    const between = await ask(process);
    await rename(at("later-prep"), at("prep/2"));
    await everyProcessLogs(process, {
      message: "Graph of iris serves",
      models: "prep@2, pred@2",
    });
    const after = await ask(process);
    isDone = true;
    await Promise.all(clients);
    expect(between.headers.get("x-model")).toBe("prep@1, pred@1");
    expect(after.headers.get("x-model")).toBe("prep@2, pred@2");
    expectGolden(after.body.prediction, probabilitiesOf(2, 2));
    expect([...pairs].sort()).toEqual(["200 prep@1, pred@1", "200 prep@2, pred@2"]);
  });

  it("versions: together keeps the earlier pair after a restart between the parts", async () => {
    await rm(at("pred/2"), { recursive: true });
    const { headers } = await ask(await start());
    expect(headers.get("x-model")).toBe("prep@1, pred@1");
  });

  it("versions: together refuses parts that have no version in common", async () => {
    await rm(at("prep/2"), { recursive: true });
    await rm(at("pred/1"), { recursive: true });
    const process = await start();
    const { status, body } = await ask(process);
    expect([status, body.code]).toEqual([503, "MODEL_NOT_READY"]);
    expect(await health(process)).toEqual({
      health: "ng",
      reason: expect.stringContaining("prep has 1; pred has 2") as string,
    });
    expect((await ask(process, "/services/prep/predict")).status).toBe(200); // each for itself is well
  });

  it("sequence refuses parts that do not fit when the process starts", async () => {
    for (const part of ["prep", "pred"]) await rm(at(part, "2"), { recursive: true });
    await cp(at("../models/iris_svc.onnx"), at("prep/1/model.onnx"));
    const process = await start();
    expect((await ask(process)).status).toBe(503);
    expect(await health(process)).toMatchObject({
      reason: expect.stringContaining('step "pred" takes "features" FP32 [-1, 4]') as string,
    });
  });

  it.each([
    { broken: "prep", states: { prep: "ng", pred: "ok", iris: "ng" } },
    { broken: "pred", states: { prep: "ok", pred: "ng", iris: "ng" } },
  ])("/health tells that it is $broken when that is down", async ({ broken, states }) => {
    await rm(at(broken), { recursive: true });
    await mkdir(at(broken, "1"), { recursive: true });
    await writeFile(at(broken, "1/model.onnx"), "not a model");
    const process = await start();
    expect((await ask(process)).status).toBe(503);
    expect(await health(process, "/all")).toEqual(states);
    const { reason } = (await health(process)) as { reason: string };
    expect(reason).toContain(`service iris is not ready: waits for model ${broken}`);
  });
});
