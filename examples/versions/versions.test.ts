import { cp, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { expectGolden, goldenCases, postJson, rowsOf } from "../golden.ts";
import { describeReadme, everyProcessLogs } from "../run-readme.ts";

describeReadme("versions");

const [GOLDEN] = goldenCases("iris_svc.onnx");
const REQUEST = {
  inputs: [{ name: "float_input", ...GOLDEN?.inputs["float_input"] }],
  outputs: [{ name: "probabilities" }],
};

interface InferReply {
  readonly model_version: string;
  readonly outputs: readonly { readonly data: readonly number[] }[];
}

describe("versions", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("versions");
    millrace = await MillraceProcess.start(["up", example.path]);
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  const infer = (path: string) => postJson<InferReply>(`${millrace.url}${path}/infer`, REQUEST);

  it.each([
    { path: "/v2/models/iris", version: "2", file: "v2/iris_svc.onnx" },
    { path: "/v2/models/iris/versions/1", version: "1", file: "iris_svc.onnx" },
    { path: "/v2/models/iris/versions/2", version: "2", file: "v2/iris_svc.onnx" },
  ])("$path/infer answers with version $version when asked", async ({ path, version, file }) => {
    const { body, headers } = await infer(path);
    expect(body.model_version).toBe(version);
    expect(headers.get("x-model")).toBe(`iris@${version}`);
    const [golden] = goldenCases(file);
    expectGolden([body.outputs[0]?.data], rowsOf(golden?.outputs["output_probability"]));
  });

  it.each(["3", "0", "01", "latest", "-1"])(
    "/v2 answers 404 when version %s is asked for",
    async (version) => {
      const reply = await infer(`/v2/models/iris/versions/${version}`);
      expect(reply.status).toBe(404);
      expect(reply.headers.get("x-error-code")).toBe("MODEL_NOT_FOUND");
    },
  );

  it("source serves a new version beside the old ones when its folder is added", async () => {
    await addVersion(example.path, 3);
    await everyProcessLogs(millrace, { message: "Model iris@3 serves" });
    const versions = ["/versions/1", "/versions/2", "/versions/3", ""];
    const replies = await Promise.all(versions.map((path) => infer(`/v2/models/iris${path}`)));
    expect(replies.map((reply) => reply.body.model_version)).toEqual(["1", "2", "3", "3"]);
  });

  it("source goes on with the earlier version when the newest folder is removed", async () => {
    await rm(join(example.path, "iris/3"), { recursive: true });
    await everyProcessLogs(millrace, { message: "Model iris@3 drained and released" });
    expect((await infer("/v2/models/iris/versions/3")).status).toBe(404);
    expect((await infer("/v2/models/iris")).body.model_version).toBe("2");
  });

  it("source keeps every version when a broken one is added", async () => {
    await mkdir(join(example.path, "iris/next"));
    await writeFile(join(example.path, "iris/next/model.onnx"), "not a model");
    await rename(join(example.path, "iris/next"), join(example.path, "iris/4"));
    await everyProcessLogs(millrace, { level: "error", serving: "iris@2" });
    const versions = ["/versions/1", "/versions/2", ""];
    const replies = await Promise.all(versions.map((path) => infer(`/v2/models/iris${path}`)));
    expect(replies.map((reply) => reply.body.model_version)).toEqual(["1", "2", "2"]);
    const health = (await (await fetch(`${millrace.url}/health`)).json()) as { reason: string };
    expect(health.reason).toContain("iris/4/model.onnx");
  });
});

async function addVersion(example: string, version: number): Promise<void> {
  const next = join(example, "iris/next");
  await mkdir(next);
  await cp(join(example, "../models/iris_rf.onnx"), join(next, "model.onnx"));
  await rename(next, join(example, `iris/${version}`));
}
