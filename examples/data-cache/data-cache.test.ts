import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { readMetrics } from "../../test/e2e/prometheus.ts";
import { postJson } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("data-cache");

interface Reply {
  readonly prediction: unknown;
  readonly code: string;
}

describe("data-cache", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("data-cache");
    millrace = await MillraceProcess.start(["up", example.path]);
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  const ask = (service: string, id: unknown) =>
    postJson<Reply>(`${millrace.url}/services/${service}/predict`, { id });

  const reads = (): string[] =>
    millrace.logLines
      .filter(({ logger }) => logger === "functions")
      .map(({ message }) => message.replace("reads ", ""));

  const runsOf = async (model: string): Promise<number> =>
    (await readMetrics(millrace.facts.metrics)).sum("inference_batch_rows_count", { model });

  it("reads a key once for both services, and predicts each time", async () => {
    const before = await runsOf("iris-svc");
    const first = await ask("iris", "0003");
    const second = await ask("iris", "0003");
    expect(second.body).toEqual(first.body);
    expect((await ask("forest", "0003")).status).toBe(200);
    await millrace.logLine(({ message }) => message === "reads 0003");
    expect(reads().filter((ids) => ids.includes("0003"))).toEqual(["0003"]);
    expect((await runsOf("iris-svc")) - before).toBe(2);
  });

  it("reads once for all who ask at the same time", async () => {
    const replies = await Promise.all(
      ["iris", "forest", "iris", "forest"].map((service) => ask(service, ["0004", "0005"])),
    );
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await millrace.logLine(({ message }) => message === "reads 0004, 0005");
    expect(reads().filter((ids) => /000[45]/.test(ids))).toEqual(["0004, 0005"]);
  });

  it("finds a key that was unknown a moment ago", async () => {
    const { status, body } = await ask("iris", "0006");
    expect([status, body.code]).toEqual([404, "DATA_NOT_FOUND"]);
    const file = join(example.path, "flowers.csv");
    await writeFile(file, `${await readFile(file, "utf8")}0006,5.1,3.5,1.4,0.2\n`);
    expect((await ask("iris", "0006")).status).toBe(200);
  });
});
