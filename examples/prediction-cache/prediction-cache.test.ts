import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, eventually, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { readMetrics } from "../../test/e2e/prometheus.ts";
import { freePort } from "../../test/free-port.ts";
import { TestRedis } from "../../test/redis-server.ts";
import { postJson } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("prediction-cache", { REDIS_PORT: String(await freePort()) });

interface Asked {
  readonly status: number;
  readonly cache: string | null;
  readonly prediction: unknown;
}

async function ask(millrace: MillraceProcess, service: string, data: unknown): Promise<Asked> {
  const url = `${millrace.url}/services/${service}/predict`;
  const { status, headers, body } = await postJson<{ prediction: unknown }>(url, { data });
  return { status, cache: headers.get("x-cache"), prediction: body.prediction };
}

describe("prediction-cache", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("prediction-cache");
    const iris = join(example.path, "../models/iris_svc.onnx");
    await cp(iris, join(example.path, "deployed/iris.onnx"));
    millrace = await MillraceProcess.start(["up", example.path]);
    await millrace.logLine(({ message }) => message === "the prediction cache is warm");
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  it("runs the model once for what comes again, and for what comes at the same time", async () => {
    const runs = async (): Promise<number> =>
      (await readMetrics(millrace.facts.metrics)).sum("inference_batch_rows_count", {
        model: "slow",
      });
    const before = await runs();
    const together = await Promise.all([1, 2, 3, 4].map(() => ask(millrace, "slow", [150_000])));
    expect(together.filter(({ cache }) => cache === "miss")).toHaveLength(1);
    expect(together.filter(({ cache }) => cache === "hit")).toHaveLength(3);
    expect((await ask(millrace, "slow", [150_000])).cache).toBe("hit");
    expect(await runs()).toBe(before + 1);
  });

  it("has what warmUp lists before anybody asked", async () => {
    for (const rounds of [200_000, 250_000]) {
      expect(await ask(millrace, "slow", [rounds])).toEqual({
        status: 200,
        cache: "hit",
        prediction: rounds,
      });
    }
  });
});

describe("prediction-cache with redis.yaml", () => {
  let example: { path: string; remove: () => Promise<void> };
  let redis: TestRedis;
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("prediction-cache");
    redis = await TestRedis.start();
    millrace = await MillraceProcess.start(["up", join(example.path, "redis.yaml")], {
      env: { REDIS_PORT: String(redis.port) },
    });
  });
  afterAll(async () => {
    await millrace.stop();
    await redis.stop();
    await example.remove();
  });

  const untilHit = (): Promise<Asked> =>
    eventually(async () => {
      const asked = await ask(millrace, "slow", [1000]);
      return asked.cache === "hit" && asked;
    }, "a hit");

  it("finds it again when Redis is back, and answers all the time", async () => {
    expect(await untilHit()).toMatchObject({ status: 200, prediction: 1000 });
    await redis.kill();
    for (let request = 0; request < 10; request++) {
      const { status, prediction } = await ask(millrace, "slow", [1000]);
      expect([status, prediction]).toEqual([200, 1000]);
    }
    await redis.restart();
    expect(await untilHit()).toMatchObject({ status: 200, prediction: 1000 });
  });
});
