import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MillraceClient } from "millrace-client";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { expectGolden, goldenCases, rowsOf } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("batching");

interface BatchEntry {
  readonly rows: number;
  readonly requests: number;
  readonly reason: string;
  readonly outcome: string;
}

const REQUESTS = 50;

describe("batching", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;
  let client: MillraceClient;

  beforeAll(async () => {
    example = await copyExample("batching");
    millrace = await MillraceProcess.start(["up", example.path]);
    client = new MillraceClient({ url: millrace.url, timeoutMs: 10_000 });
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  it("every request gets what Python computes for its row when fifty come at once", async () => {
    const cases = goldenCases("iris_svc.onnx").flatMap(({ inputs, outputs }) => {
      const wanted = rowsOf(outputs["output_probability"]);
      return rowsOf(inputs["float_input"]).map((row, i) => ({ row, wanted: wanted[i] }));
    });
    const asked = Array.from({ length: REQUESTS }, (_, i) => cases[i % cases.length]);
    const answers = await Promise.all(
      asked.map((one) => client.predict<number[]>("iris", [one?.row as number[]])),
    );
    expectGolden(
      answers.map(({ prediction }) => prediction),
      asked.map((one) => one?.wanted as number[]),
    );
  });

  it("/batches tells of runs that were shared when fifty requests came at once", async () => {
    let batches = await batchesOf("iris");
    expect(batches.reduce((sum, { requests }) => sum + requests, 0)).toBe(REQUESTS);
    // On a busy machine the client may be the slower side, and then nobody has to wait for company: it sends again.
    for (let burst = 0; burst < 20 && batches.every(({ requests }) => requests === 1); burst++) {
      const rows = Array<number[]>(REQUESTS).fill([5.1, 3.5, 1.4, 0.2]);
      await Promise.all(rows.map((row) => client.predict("iris", [row])));
      batches = await batchesOf("iris");
    }
    expect(batches.some(({ requests }) => requests > 1)).toBe(true);
    for (const batch of batches) {
      expect(batch.rows).toBe(batch.requests);
      expect(["idle", "full"]).toContain(batch.reason);
      expect(batch.outcome).toBe("ok");
    }
  });

  it("/batches tells of runs of one when batching is off", async () => {
    const rows = Array<number[]>(REQUESTS).fill([5.1, 3.5, 1.4, 0.2]);
    await Promise.all(rows.map((row) => client.predict("iris-alone", [row])));
    const batches = await batchesOf("iris-alone");
    expect(batches.map(({ requests }) => requests)).toEqual(Array(REQUESTS).fill(1));
  });

  async function batchesOf(model: string): Promise<readonly BatchEntry[]> {
    const reply = await fetch(`${millrace.url}/v2/models/${model}/batches`);
    return ((await reply.json()) as { batches: BatchEntry[] }).batches;
  }
});
