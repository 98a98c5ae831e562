import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MillraceClient } from "millrace-client";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { postJson } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("overload");

const IRIS = { data: [[5.1, 3.5, 1.4, 0.2]] };

describe("overload", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("overload");
    millrace = await MillraceProcess.start(["up", example.path]);
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  it("answers what finds a place and refuses the others when eight come at once", async () => {
    const replies = await atOnce(8, "slow", { data: [300_000] });
    const refused = replies.filter(({ status }) => status === 503);
    expect(refused).toHaveLength(5);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(3);
    for (const { body, headers } of refused) {
      expect(body).toMatchObject({ code: "OVERLOADED", reason: "queue" });
      expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    }
  });

  it("refuses what would be late when the objective cannot be kept for all", async () => {
    const replies = await atOnce(100, "punctual", { data: [40_000] });
    const answered = replies.filter(({ status }) => status === 200);
    const refused = replies.filter(({ status }) => status === 503);
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.length + refused.length).toBe(100);
    expect(new Set(refused.map(({ body }) => body.reason))).toEqual(
      new Set(["predicted_deadline"]),
    );
  });

  it("says when to come back when the rate is used up", async () => {
    await atOnce(1, "metered", IRIS);
    const [reply] = await atOnce(1, "metered", IRIS);
    expect(reply?.status).toBe(503);
    const retryAfterSeconds = Number(reply?.headers.get("retry-after"));
    expect(retryAfterSeconds).toBeGreaterThan(3500);
    expect(retryAfterSeconds).toBeLessThanOrEqual(3600);
  });

  it("lets the fallback answer over the Open Inference Protocol when the rate is used up", async () => {
    const client = new MillraceClient({ url: millrace.url, retries: { max: 0 } });
    const input = { name: "float_input", shape: [1, 4], data: Float32Array.from(IRIS.data.flat()) };
    const request = { inputs: [input], outputs: ["probabilities"] };
    await client.infer("metered-fallback", request);
    const { outputs, degraded } = await client.infer("metered-fallback", request);
    expect(degraded).toBe("fallback");
    expect(outputs[0]?.shape).toEqual([1, 3]);
  });

  function atOnce(count: number, service: string, body: unknown) {
    const url = `${millrace.url}/services/${service}/predict`;
    return Promise.all(
      Array.from({ length: count }, () => postJson<{ reason?: string }>(url, body)),
    );
  }
});
