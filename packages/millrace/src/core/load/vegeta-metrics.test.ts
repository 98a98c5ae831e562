import { describe, expect, it } from "vitest";
import { TestRandom } from "../test-random.ts";
import { ERROR_TEXTS_MAX, type Hit, VegetaTally } from "./vegeta-metrics.ts";

const MS = 1e6;
const SECOND = 1e9;
const BEGIN_NS = 1_700_000_000_000_000_000n;

function hit(overrides: Partial<Hit> = {}): Hit {
  return {
    atNs: 0,
    latencyNs: 3 * MS,
    code: 200,
    bytesOut: 0,
    bytesIn: 0,
    error: "",
    ...overrides,
  };
}

function tallyOf(hits: Iterable<Hit>, bucketsNs?: readonly number[]): VegetaTally {
  const tally = new VegetaTally(BEGIN_NS, bucketsNs);
  for (const each of hits) tally.add(each);
  return tally;
}

describe("VegetaTally", () => {
  it("metrics() of vegeta's own test vector are vegeta's", () => {
    const tally = new VegetaTally(0n);
    const codes = [500, 200, 302];
    const errors = ["Internal server error", ""];
    for (let i = 1; i <= 10_000; i++) {
      tally.add({
        atNs: (i - 1) * SECOND,
        latencyNs: i * 1000,
        code: codes[i % 3] ?? 0,
        bytesIn: 1024,
        bytesOut: 512,
        error: errors[i % 2] ?? "",
      });
    }
    expect(tally.metrics()).toEqual({
      latencies: {
        total: 50_005_000_000,
        mean: 5_000_500,
        "50th": 5_000_500,
        "90th": 9_000_500,
        "95th": 9_500_500,
        "99th": 9_900_500,
        max: 10_000_000,
        min: 1000,
      },
      bytes_in: { total: 10_240_000, mean: 1024 },
      bytes_out: { total: 5_120_000, mean: 512 },
      earliest: "1970-01-01T00:00:00Z",
      latest: "1970-01-01T02:46:39Z",
      end: "1970-01-01T02:46:39.01Z",
      duration: 9999 * SECOND,
      wait: 10 * MS,
      requests: 10_000,
      rate: 1.000100010001,
      throughput: 0.6667660098349737,
      success: 0.6667,
      status_codes: { 200: 3334, 302: 3333, 500: 3333 },
      errors: ["Internal server error"],
    });
  });

  it("metrics() of one request has no duration to divide by", () => {
    expect(tallyOf([hit()]).metrics()).toMatchObject({
      rate: 1,
      throughput: 1,
      duration: 0,
      wait: 3 * MS,
      earliest: "2023-11-14T22:13:20Z",
      end: "2023-11-14T22:13:20.003Z",
    });
  });

  it("metrics() of two requests lies between and beyond them", () => {
    const { latencies, rate, throughput } = tallyOf([
      hit({ latencyNs: MS }),
      hit({ atNs: 1.5 * SECOND, latencyNs: 2 * MS }),
    ]).metrics();
    expect([latencies["50th"], latencies["90th"], latencies["99th"]]).toEqual([
      1_500_000, 2_000_000, 2_000_000,
    ]);
    expect([rate, throughput]).toEqual([1.3333333333333333, 1.3315579227696406]);
  });

  it("metrics() of 100 requests of which 40 are answered has both rates", () => {
    const hits = Array.from({ length: 100 }, (_, at) =>
      hit({ atNs: at * 10 * MS, latencyNs: (at + 1) * MS, code: at < 40 ? 200 : 0 }),
    );
    const { latencies, rate, throughput } = tallyOf(hits).metrics();
    expect([latencies["50th"], latencies["90th"], latencies["95th"], latencies["99th"]]).toEqual([
      50_500_000, 90_500_000, 95_500_000, 99_500_000,
    ]);
    expect([rate, throughput]).toEqual([101.01010101010101, 36.69724770642202]);
  });

  it("metrics() without a request are those of Go's zero values", () => {
    expect(tallyOf([]).metrics()).toMatchObject({
      latencies: { total: 0, "99th": 0, max: 0, min: 0 },
      earliest: "0001-01-01T00:00:00Z",
      end: "0001-01-01T00:00:00Z",
      rate: 0,
      throughput: 0,
      success: 0,
      status_codes: {},
      errors: [],
    });
  });

  it("metrics() are the same in whatever order requests come", () => {
    const random = new TestRandom(3);
    const hits = Array.from({ length: 500 }, () =>
      hit({
        atNs: random.below(SECOND),
        latencyNs: random.below(50 * MS),
        code: random.pick([0, 200, 429, 503]),
      }),
    );
    const shuffled = hits.toSorted((a, b) => a.latencyNs - b.latencyNs);
    expect(tallyOf(shuffled).metrics()).toEqual(tallyOf(hits).metrics());
  });

  it("buckets count from their lower bound on", () => {
    const latencies = [0, 1, 2 * MS - 1, 2 * MS, 9 * MS];
    const tally = tallyOf(
      latencies.map((latencyNs) => hit({ latencyNs })),
      [0, 2 * MS, 4 * MS],
    );
    expect(tally.metrics().buckets).toEqual({ 0: 3, 2000000: 1, 4000000: 1 });
  });

  it("keeps no more than so many texts of errors, each once", () => {
    const texts = Array.from({ length: ERROR_TEXTS_MAX + 5 }, (_, at) =>
      hit({ error: `error ${at}` }),
    );
    const { errors, requests } = tallyOf([...texts, ...texts]).metrics();
    expect([errors.length, errors[0], requests]).toEqual([
      ERROR_TEXTS_MAX,
      "error 0",
      2 * texts.length,
    ]);
  });
});
