import { HdrHistogram } from "../../core/stats/hdr-histogram.ts";
import { TestRandom } from "../../core/test-random.ts";
import type { LoadFacts, LoadReport, LoadWindow, Spread } from "../../core/load/load-report.ts";

interface TestLoad {
  /** Windows of the timeline; 0 is a run in which nothing was sent. */
  readonly windows?: number;
  readonly windowMs?: number;
  /** Starts a second. */
  readonly rate?: number;
  readonly seed?: number;
  /** In place of what was made up. */
  readonly facts?: Partial<LoadFacts>;
}

/** Of each window's requests so many are made up; its counts are as if there were all of them. */
const SAMPLES = 100;

/**
 * A report with something in every part of it, whose figures agree with each other: answers around 4 ms, and at 60 % of
 * the time a stall in which the queue grows and the service refuses. The same for the same arguments.
 */
export function testLoadReport(load: TestLoad = {}): LoadReport {
  const { windows = 30, windowMs = 1000, rate = 500, seed = 1, facts } = load;
  const made = Array.from({ length: windows }, (_, at) =>
    testWindow({ at, windows, windowMs, rate }, new TestRandom(seed + at)),
  );
  const times = made.flatMap(({ responseMs }) => responseMs);
  const lags = made.map(({ window }) => window.lag_p99_ms);
  const timeline = made.map(({ window }) => window);
  const total = (key: "due" | "dropped" | "ok" | "failed"): number =>
    timeline.reduce((sum, window) => sum + window[key], 0);
  const codes: Record<string, number> = {};
  for (const window of timeline)
    for (const [code, count] of Object.entries(window.codes))
      codes[code] = (codes[code] ?? 0) + count;
  const sent = total("due") - total("dropped");
  const response = testSpread(times, sent);
  const durationMs = windows * windowMs;
  return {
    ...vegetaPart(response, { sent, ok: total("ok"), durationMs, codes }),
    millrace: {
      format: 1,
      name: "iris",
      started: "2026-11-21T17:00:00.000Z",
      command: `millrace load iris --rate ${rate} --duration ${durationMs / 1000}s --slo 'p99<50ms,errors<0.1%'`,
      protocol: "http1",
      targets: ["POST http://127.0.0.1:8080/services/iris/predict"],
      arrivals: `${rate}/s, constant`,
      seed: 42,
      warmup_ms: 5000,
      duration_ms: durationMs,
      valid: true,
      problems: [],
      starts: { due: total("due"), sent, dropped: total("dropped"), unanswered: 0 },
      response,
      service: testSpread(
        times.map((ms) => ms * 0.97),
        sent,
      ),
      first_byte: testSpread(
        times.map((ms) => ms * 0.95),
        sent,
      ),
      lag: testSpread(lags, sent),
      generator: { threads: 1, cpu: 0.34, memory_mib: 96, connections_peak: 41 },
      window_ms: windowMs,
      timeline,
      histogram: histogramOf(times, windows === 0 ? 0 : (rate * windowMs) / 1000 / SAMPLES),
      objectives: [
        { objective: "p99<50ms", met: response.p99_ms < 50, found: `${response.p99_ms}ms` },
        { objective: "errors<0.1%", met: false, found: "0.42%" },
      ],
      environment: {
        millrace: "0.1.0",
        node: "24.21.0",
        os: "Linux 6.18.0 x64",
        cpu: "AMD EPYC 7B13",
        cores: 2,
        memory_mib: 8192,
        load_average: 0.42,
      },
      server: {
        requests: sent,
        p50_ms: 3.6,
        p99_ms: 36.1,
        refused: { queue_full: codes["503"] ?? 0 },
      },
      ...facts,
    },
  };
}

interface WindowPlace {
  readonly at: number;
  readonly windows: number;
  readonly windowMs: number;
  readonly rate: number;
}

interface MadeWindow {
  readonly window: LoadWindow;
  readonly responseMs: readonly number[];
}

function testWindow({ at, windows, windowMs, rate }: WindowPlace, random: TestRandom): MadeWindow {
  const due = Math.round((rate * windowMs) / 1000);
  const behind = at - Math.floor(windows * 0.6);
  // A stall, then a queue that gets shorter.
  const waitMs = behind >= 0 && behind < 4 ? 40 / 2 ** behind : 0;
  const responseMs = Array.from({ length: SAMPLES }, () => {
    const normal =
      Array.from({ length: 6 }, () => random.next() * 2 - 1).reduce((a, b) => a + b) / 1.41;
    return 4 * Math.exp(0.35 * normal) + waitMs * random.next() + (random.next() > 0.995 ? 18 : 0);
  });
  const failed = waitMs > 30 ? Math.round(due * 0.12) : 0;
  const cut = failed > 0 ? Math.ceil(failed / 10) : 0;
  const sorted = responseMs.toSorted((a, b) => a - b);
  return {
    responseMs,
    window: {
      from_ms: at * windowMs,
      due,
      dropped: 0,
      ok: due - failed,
      failed,
      answered: behind === 0 ? due - 20 : behind === 1 ? due + 20 : due,
      p50_ms: quantileOf(sorted, 0.5),
      p90_ms: quantileOf(sorted, 0.9),
      p99_ms: quantileOf(sorted, 0.99),
      max_ms: quantileOf(sorted, 1),
      lag_p99_ms: Number((0.05 + 0.1 * random.next()).toFixed(3)),
      under_way: Math.round((rate * (4 + waitMs)) / 1000),
      codes: {
        "200": due - failed,
        ...(failed > 0 && { "503": failed - cut, "0": cut }),
      },
    },
  };
}

function testSpread(values: readonly number[], count: number): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(1, sorted.length);
  return {
    count,
    mean_ms: Number(mean.toFixed(3)),
    min_ms: quantileOf(sorted, 0),
    p50_ms: quantileOf(sorted, 0.5),
    p90_ms: quantileOf(sorted, 0.9),
    p95_ms: quantileOf(sorted, 0.95),
    p99_ms: quantileOf(sorted, 0.99),
    p999_ms: quantileOf(sorted, 0.999),
    p9999_ms: quantileOf(sorted, 0.9999),
    max_ms: quantileOf(sorted, 1),
  };
}

/** To the µs; 0 where there is none. */
function quantileOf(sorted: readonly number[], share: number): number {
  const at = Math.max(0, Math.ceil(share * sorted.length) - 1);
  return Number((sorted[at] ?? 0).toFixed(3));
}

function histogramOf(timesMs: readonly number[], each: number): ReturnType<HdrHistogram["toJSON"]> {
  const histogram = new HdrHistogram();
  for (const ms of timesMs) histogram.record(ms * 1000, Math.max(1, Math.round(each)));
  return histogram.toJSON();
}

interface Totals {
  readonly sent: number;
  readonly ok: number;
  readonly durationMs: number;
  readonly codes: Readonly<Record<string, number>>;
}

function vegetaPart(
  response: Spread,
  { sent, ok, durationMs, codes }: Totals,
): Omit<LoadReport, "millrace"> {
  const ns = (ms: number): number => Math.round(ms * 1e6);
  const seconds = Math.max(0.001, durationMs / 1000);
  return {
    latencies: {
      total: ns(response.mean_ms * sent),
      mean: ns(response.mean_ms),
      "50th": ns(response.p50_ms),
      "90th": ns(response.p90_ms),
      "95th": ns(response.p95_ms),
      "99th": ns(response.p99_ms),
      max: ns(response.max_ms),
      min: ns(response.min_ms),
    },
    bytes_in: { total: sent * 148, mean: sent === 0 ? 0 : 148 },
    bytes_out: { total: sent * 34, mean: sent === 0 ? 0 : 34 },
    earliest: "2026-11-21T17:00:00.000000000Z",
    latest: new Date(Date.UTC(2026, 10, 21, 17) + durationMs).toISOString(),
    end: new Date(Date.UTC(2026, 10, 21, 17) + durationMs + 4).toISOString(),
    duration: ns(durationMs),
    wait: ns(response.p50_ms),
    requests: sent,
    rate: sent / seconds,
    throughput: ok / seconds,
    success: sent === 0 ? 0 : ok / sent,
    status_codes: codes,
    errors: ok === sent ? [] : ["503 Service Unavailable", "timeout: no answer in 30s"],
  };
}
