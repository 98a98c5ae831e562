import { describe, expect, it } from "vitest";
import { junitReport } from "./junit-report.ts";
import { testLoadReport } from "./test-load-report.ts";

const FACTS = {
  name: "iris",
  started: "2026-11-21T17:00:00.000Z",
  command: "millrace load iris --slo 'p99<50ms'",
  targets: ["POST http://127.0.0.1:8080/services/iris/predict"],
  arrivals: "500/s, constant",
  protocol: "http1",
  seed: 42,
  duration_ms: 60_000,
} as const;

describe("junitReport()", () => {
  it("has a case for the validity of the run and one for each objective", () => {
    const report = testLoadReport({
      facts: {
        ...FACTS,
        valid: true,
        problems: [],
        objectives: [
          { objective: "p99<50ms", met: true, found: "2.7ms" },
          { objective: "errors<0.1%", met: false, found: "0.4%" },
        ],
      },
    });
    expect(junitReport(report)).toBe(`\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="millrace load" tests="3" failures="1" errors="0" skipped="0" time="60.000">
  <testsuite name="iris" tests="3" failures="1" errors="0" skipped="0" time="60.000" timestamp="2026-11-21T17:00:00.000Z">
    <properties>
      <property name="command" value="millrace load iris --slo 'p99&lt;50ms'"/>
      <property name="protocol" value="http1"/>
      <property name="arrivals" value="500/s, constant"/>
      <property name="seed" value="42"/>
      <property name="targets" value="POST http://127.0.0.1:8080/services/iris/predict"/>
    </properties>
    <testcase classname="millrace.load.iris" name="the run is valid" time="60.000"/>
    <testcase classname="millrace.load.iris" name="p99&lt;50ms" time="60.000"/>
    <testcase classname="millrace.load.iris" name="errors&lt;0.1%" time="60.000">
      <failure type="objective" message="expected errors&lt;0.1%, found 0.4%"/>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  it("has an error, and no failure, where the generator spoiled the run", () => {
    const problems = [
      { code: "lag", text: 'the lag is 7ms, limit is "5ms"' },
      { code: "cpu", text: "a\u0000b\nc" },
    ] as const;
    const text = junitReport(
      testLoadReport({ facts: { ...FACTS, valid: false, problems, objectives: [] } }),
    );
    expect(text).toContain('tests="1" failures="0" errors="1"');
    expect(text).toContain(
      '<error type="invalid" message="the lag is 7ms, limit is &quot;5ms&quot;; a\ufffdb&#10;c"/>',
    );
  });
});
