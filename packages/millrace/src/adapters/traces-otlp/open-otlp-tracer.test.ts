import { expect, test } from "vitest";
import { TestClock } from "../../core/test-clock.ts";
import { openOtlpTracer } from "./open-otlp-tracer.ts";

const note = (): void => undefined;
const OPTIONS = {
  endpoint: "http://127.0.0.1:9",
  headers: {},
  serviceName: "test",
  processIndex: 0,
  clock: new TestClock(),
  log: { debug: note, info: note, warn: note, error: note },
};

test("openOtlpTracer() says what to install when a package is not there", async () => {
  const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
  await expect(openOtlpTracer(OPTIONS, () => Promise.reject(missing))).rejects.toMatchObject({
    code: "NOT_IMPLEMENTED",
    message: expect.stringMatching(
      /npm install @opentelemetry\/api@1 .*@opentelemetry\/exporter-trace-otlp-http@0\.301"$/,
    ) as string,
  });
});

test("openOtlpTracer() throws as it is what is wrong with a package that is there", async () => {
  const broken = new SyntaxError("broken");
  await expect(openOtlpTracer(OPTIONS, () => Promise.reject(broken))).rejects.toBe(broken);
});
