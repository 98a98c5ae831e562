import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess, ROOT } from "../../test/e2e/millrace-process.ts";
import { freePort } from "../../test/free-port.ts";
import { postJson } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("microservice-vertical", { READER_PORT: String(await freePort()) });

const FOLDER = join(ROOT, "examples/microservice-vertical");

/** Pixels of a page for each that the detector sees. */
const SCALE = 4;
const DIGIT_PIXELS = 64;

/** Pixels of a page that a digit may be found off. */
const OFF_MAX = 2 * SCALE;

/** What the detector gives, without what comes after it. */
const LOCATE = `
models: { detect: { source: ./detect.onnx, output: box } }
services:
  locate: { graph: { sequence: [image: { width: 64, height: 64, channels: gray }, detect] } }
`;

interface Golden {
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
  readonly pages: Readonly<Record<string, GoldenPage>>;
}

interface GoldenPage {
  readonly kind?: string;
  readonly digit?: number;
  readonly left?: number;
  readonly top?: number;
}

const GOLDEN = JSON.parse(readFileSync(join(FOLDER, "golden.json"), "utf8")) as Golden;
const WITH_DIGIT = Object.entries(GOLDEN.pages).filter(([, { kind }]) => kind !== undefined);

interface Reply {
  readonly prediction: { readonly labels: readonly unknown[]; readonly scores: readonly unknown[] };
  readonly code: string;
  readonly detail: string;
}

const base64 = (page: string): string =>
  readFileSync(join(FOLDER, `pages/${page}.png`)).toString("base64");

describe("microservice-vertical", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("microservice-vertical");
    const env = { READER_PORT: String(await freePort()) };
    millrace = await MillraceProcess.start(["up", example.path], { env });
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  const read = (pages: readonly string[], path = "/predict") =>
    postJson<Reply>(`${millrace.url}${path}`, { image_data: pages.map(base64) });

  it.each(Object.entries(GOLDEN.files))("%s is the file that golden.json means", (file, facts) => {
    const bytes = readFileSync(join(FOLDER, file));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    expect({ bytes: bytes.length, sha256 }).toEqual(facts);
  });

  it.each(WITH_DIGIT)("service read reads %s with the model of its kind", async (page, facts) => {
    const { body, headers } = await read([page]);
    expect(body.prediction.labels[0]).toBe(String(facts.digit));
    expect(body.prediction.labels).toHaveLength(3);
    expect(headers.get("x-model")).toBe(`detect@1, ${facts.kind ?? ""}@1`);
  });

  it("model detect finds the digit of each page where it is", async () => {
    const file = join(example.path, "locate.yaml");
    await writeFile(file, LOCATE);
    await using locating = await MillraceProcess.start(["serve", file]);
    const { body } = await postJson<{ prediction: readonly (readonly number[])[] }>(
      `${locating.url}/services/locate/predict`,
      { image_data: WITH_DIGIT.map(([page]) => base64(page)) },
    );
    const offs = WITH_DIGIT.flatMap(([, { left = 0, top = 0 }], row) => {
      const edges = [left, top, left + DIGIT_PIXELS, top + DIGIT_PIXELS];
      return edges.map((edge, i) => Math.abs(SCALE * (body.prediction[row]?.[i] ?? 0) - edge));
    });
    expect(Math.max(...offs)).toBeLessThanOrEqual(OFF_MAX);
  });

  it("service read reads several pages of one kind in one request", async () => {
    const { body } = await read(["handwritten-7", "handwritten-2"]);
    const best = body.prediction.labels.map((labels) => (labels as string[])[0]);
    expect(best).toEqual(["7", "2"]);
  });

  it("switch refuses a request whose pages are of two kinds", async () => {
    const { status, body } = await read(["handwritten-7", "printed-5"]);
    expect([status, body.code]).toEqual([400, "INVALID_TENSOR"]);
    expect(body.detail).toContain("send one kind at a time");
  });

  it("crop.ts refuses a page without a digit, and names its row", async () => {
    const { status, body } = await read(["handwritten-7", "empty"]);
    expect([status, body.code]).toEqual([400, "INVALID_TENSOR"]);
    expect(body).toMatchObject({ errors: [{ location: ["body", "image_data", 1] }] });
  });

  it("Server-Timing has the steps in their order, and their times add up to less than the whole", async () => {
    const startMs = performance.now();
    const { headers } = await read(["handwritten-7"]);
    const tookMs = performance.now() - startMs;
    const steps = (headers.get("server-timing") ?? "")
      .split(", ")
      .map((text) => text.split(";dur="));
    expect(steps.map(([name]) => name)).toEqual([
      "find.image",
      "find.detect",
      "find.crop",
      "reader.handwritten",
      "top",
    ]);
    const sumMs = steps.reduce((sum, [, ms]) => sum + Number(ms), 0);
    expect(sumMs).toBeGreaterThan(0);
    expect(sumMs).toBeLessThan(tookMs);
  });

  it("onError runs the model here while the other server is away", async () => {
    const { body, headers } = await read(["handwritten-7"], "/services/read-elsewhere/predict");
    expect(body.prediction.labels[0]).toBe("7");
    expect(headers.get("x-degraded")).toBe("fallback");
    expect(headers.get("x-degraded-steps")).toBe("elsewhere;fallback;REMOTE_FAILED");
  });

  it("onError leaves a caller's own mistake as it is", async () => {
    const { status, headers } = await read(["empty"], "/services/read-elsewhere/predict");
    expect([status, headers.get("x-degraded")]).toEqual([400, null]);
  });

  it("a step's error is told by its name when it has no onError", async () => {
    await using broken = await startBroken(example.path);
    const { status, body } = await postJson<Reply>(`${broken.url}/predict`, {
      image_data: base64("handwritten-7"),
    });
    expect([status, body.code]).toEqual([500, "FUNCTION_FAILED"]);
    expect(body.detail).toContain('step "crop"');
  });
});

/** The example with a crop.ts that throws. */
async function startBroken(example: string): Promise<MillraceProcess> {
  const copy = join(example, "../broken");
  await cp(example, copy, { recursive: true });
  const text = readFileSync(join(copy, "crop.ts"), "utf8");
  const broken = text.replace(
    "const rowCount =",
    'if (page) throw new Error("secret");\n    const rowCount =',
  );
  await writeFile(join(copy, "crop.ts"), broken);
  return MillraceProcess.start(["up", copy]);
}
