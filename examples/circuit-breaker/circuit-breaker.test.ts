import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, MillraceProcess } from "../../test/e2e/millrace-process.ts";
import { freePort } from "../../test/free-port.ts";
import { postJson } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

const PORTS = {
  REPLICA_PORT: String(await freePort()),
  BAD_REPLICA_PORT: String(await freePort()),
};

describeReadme("circuit-breaker", PORTS);

const SLOW = { data: [1500] };

describe("circuit-breaker", () => {
  let example: { path: string; remove: () => Promise<void> };
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("circuit-breaker");
    millrace = await MillraceProcess.start(["up", example.path], { env: PORTS });
  });
  afterAll(async () => {
    await millrace.stop();
    await example.remove();
  });

  it("answers a surge with 200 and 503 alone, and is as before within 2 s", async () => {
    const replies = await surge("surge", 600);
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 503]));
    for (const { status, headers, body } of replies) {
      if (status === 200) continue;
      expect(body.code).toBe("OVERLOADED");
      expect(headers.get("x-envoy-overloaded")).toBe("true");
      expect(Number(headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    }
    const endedMs = performance.now();
    while ((await surge("surge", 1))[0]?.status !== 200); // one after the other
    expect(performance.now() - endedMs).toBeLessThan(2_000);
  });

  it("answers a surge with predictions and the reply of the file alone", async () => {
    const replies = await surge("surge-null", 600);
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    const given = replies.map(({ body, headers }) => [body.prediction, headers.get("x-degraded")]);
    expect(new Set(given.map((one) => JSON.stringify(one)))).toEqual(
      new Set(["[1500,null]", '[null,"fallback"]']),
    );
  });

  it("refuses with reason breaker when both replicas are gone", async () => {
    const url = `${millrace.url}/services/replicas/predict`;
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const { status, body } = await postJson<Reply>(url, { data: [[1, 2, 3, 4]] });
      seen.add(`${status} ${body.reason ?? ""}`);
    }
    expect(seen).toEqual(new Set(["502 unreachable", "503 breaker"]));
  });

  function surge(service: string, count: number) {
    const url = `${millrace.url}/services/${service}/predict`;
    return Promise.all(Array.from({ length: count }, () => postJson<Reply>(url, SLOW)));
  }
});

interface Reply {
  readonly prediction?: unknown;
  readonly code?: string;
  readonly reason?: string;
}
