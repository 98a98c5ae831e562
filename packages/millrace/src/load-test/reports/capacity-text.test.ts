import { describe, expect, it } from "vitest";
import { capacityText } from "./capacity-text.ts";
import { testCapacityReport } from "./test-capacity-report.ts";

it("capacityText() says what was found, what stopped it, and the rates in their order", () => {
  expect(capacityText(testCapacityReport({ notes: [] }), { isUnicode: true }))
    .toMatchInlineSnapshot(`
    "iris: 900/s holds, confirmed 3 of 3 times; 938/s fails

      objectives    p99<50ms, errors<0.1%
      arrivals      Poisson; 4 min 47 s in all
      one client    930/s, p50 900 µs, p99 4.6 ms
      stopped by    p99<50ms, found 73.7ms at 937.5/s
      p99           46.1 ms at the client, 44.8 ms in the server
      Little's law  8.91 under way, rate × latency 9.02 at 900/s: agree within 5 %
      limits        concurrency 10, rate 720/s (80 %), another instance at 630/s (70 %)

           rate   answered        p50        p99     errors  p99
          225/s      225/s     890 µs    5.94 ms        0 %  █                         one client
          225/s      225/s     890 µs    5.94 ms        0 %  █                         held
          450/s      450/s    1.26 ms    8.37 ms        0 %  █                         held
          900/s      900/s    6.93 ms      46 ms        0 %  █████████                 held 4 of 4
          938/s      938/s    11.1 ms    73.7 ms        0 %  ███████████               failed
          956/s      956/s    15.8 ms     105 ms        0 %  ████████████              failed
        1,013/s      985/s     277 ms     1.84 s     1.23 %  ████████████████████████  failed
        1,125/s      985/s     277 ms     1.84 s    11.11 %  ████████████████████████  failed
        1,350/s      985/s     277 ms     1.84 s    25.93 %  ████████████████████████  failed
        1,800/s      985/s     277 ms     1.84 s    44.44 %  ████████████████████████  failed
    "
  `);
});

it("capacityText() has notes, and bars for terminals that know ASCII only", () => {
  const text = capacityText(testCapacityReport({ notes: ["one", "two"] }), { isUnicode: false });
  expect(text).toContain("\nnote  one\n      two\n");
  expect(text).toContain("####");
  expect(text).not.toContain("█");
});

describe("capacityText() of a search that", () => {
  const headlineOf = (facts: Parameters<typeof testCapacityReport>[0]): string =>
    capacityText(testCapacityReport(facts), { isUnicode: true }).split("\n")[0] ?? "";

  it("the generator ended says at least", () => {
    expect(headlineOf({ outcome: "at_least", interval: { low: 900, high: null } })).toBe(
      "iris: at least 900/s, confirmed 3 of 3 times; the service may take more",
    );
  });

  it("found no rate says why, and no limits", () => {
    const facts = {
      outcome: "none",
      rate: 0,
      limited_by: "a single client: p99<1ms: 5ms",
    } as const;
    expect(headlineOf(facts)).toBe(
      "iris: no rate meets the objectives: a single client: p99<1ms: 5ms",
    );
    const text = capacityText(testCapacityReport(facts), { isUnicode: true });
    expect(text).not.toMatch(/limits|Little/);
  });

  it("was not finished says what is known", () => {
    expect(headlineOf({ outcome: "unfinished", confirmations: 1 })).toBe(
      "iris: some 900/s, not finished: confirmed 1 of 3 times",
    );
    expect(headlineOf({ outcome: "unfinished", rate: 0, curve: [] })).toBe(
      "iris: nothing is known, not finished",
    );
  });
});

it("capacityText() lets no control character of an error through", () => {
  const text = capacityText(testCapacityReport({ limited_by: "errors: \u001b[31m503" }), {
    isUnicode: true,
  });
  expect(text).not.toContain("\u001b");
});

it("capacityText() says it where Little's law does not hold", () => {
  const { littles_law: law } = testCapacityReport();
  const text = capacityText(
    testCapacityReport({ littles_law: { ...law, under_way: 20, ratio: 2.2, holds: false } }),
    { isUnicode: true },
  );
  expect(text).toMatch(/Little's law {2}20 under way, .*do not agree within 5 %/);
});
