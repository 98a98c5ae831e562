import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createMillrace } from "../../packages/millrace/src/library.ts";
import { FileSegmentStore } from "../../packages/millrace/src/adapters/segments-file/file-segment-store.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";

const MODELS = { gather: { source: fixtureModel("gather.onnx"), sample: [0] } };

it("feedback() writes what was right beside the predictions of the library", async () => {
  const folder = await mkdtemp(join(tmpdir(), "millrace-library-"));
  const millrace = await createMillrace({ models: MODELS, state: { dir: folder } });
  try {
    const { id } = await millrace.predict("gather", [1]);
    const one = { predictionId: id, label: 20n, attributes: { shop: "x" } };
    const [name = "", ...none] = await millrace.feedback("gather", one);
    expect([name, none]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), []]);
    expect(await millrace.feedback("gather", [one])).toEqual([name]);
    const ts = new Date();
    const unit = { entityId: "u", event: "bought", value: 2, ts, source: "shop" };
    expect(await millrace.feedback("gather", [unit, unit], { idempotencyKey: "k" })).toEqual([
      "k#0",
      "k#1",
    ]);
    await expect(
      millrace.feedback("gather", [one, { label: 1, event: "x" }]),
    ).rejects.toMatchObject({
      code: "INVALID_BODY",
      problems: [{ location: ["feedback", 1] }, { location: ["feedback", 1] }],
    });
    await expect(millrace.feedback("other", one)).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
    });
    await millrace.close();
    const rows = await feedbackIn(join(folder, "log"));
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({ prediction_id: id, label: "20", value: 20, is_late: false });
    expect(rows[3]).toMatchObject({
      unit_hash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      ts: ts.getTime() * 1000,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("feedback() rejects with LOG_UNAVAILABLE where the library keeps nothing", async () => {
  const millrace = await createMillrace({ models: MODELS });
  const report = { predictionId: "01992f3c-7a5e-7cc1-b6d4-3f0a9c2e51d7", label: 1 };
  await expect(millrace.feedback("gather", report)).rejects.toMatchObject({
    code: "LOG_UNAVAILABLE",
  });
  await millrace.close();
});

/** Rows of feedback that are in segments. */
async function feedbackIn(folder: string): Promise<readonly unknown[]> {
  const store = new FileSegmentStore(folder);
  const rows: unknown[] = [];
  for (const segment of await store.list()) {
    if (segment.id.table !== "feedback") continue;
    for await (const block of store.read(segment.id, 0, () => undefined)) {
      const lines = Buffer.from(block.bytes).toString().trimEnd().split("\n");
      for (const line of lines) rows.push(JSON.parse(line));
    }
  }
  return rows;
}
