import type { HistogramCounts } from "../stats/hdr-histogram.ts";

/**
 * The JSON document of a load test. Its outer members are those of vegeta's JSON report, in its units, so whatever
 * reads that reads this; latencies count from the time a request was due.
 */
export interface LoadReport extends VegetaMetrics {
  readonly millrace: LoadFacts;
}

/** vegeta's JSON report: durations in ns, times as RFC 3339 with nanoseconds. */
export interface VegetaMetrics {
  readonly latencies: {
    readonly total: number;
    readonly mean: number;
    readonly "50th": number;
    readonly "90th": number;
    readonly "95th": number;
    readonly "99th": number;
    readonly max: number;
    readonly min: number;
  };
  /** Only where a histogram was asked for: count by the lower bound of its bucket in ns. */
  readonly buckets?: Readonly<Record<string, number>>;
  readonly bytes_in: { readonly total: number; readonly mean: number };
  readonly bytes_out: { readonly total: number; readonly mean: number };
  /** When the first and the last of them were due, and the last answer came. */
  readonly earliest: string;
  readonly latest: string;
  readonly end: string;
  /** From the first due time to the last. */
  readonly duration: number;
  /** From the last due time to the last answer. */
  readonly wait: number;
  readonly requests: number;
  /** Requests a second of `duration`: of a generator that is late, and not valid, what was asked of it. */
  readonly rate: number;
  /** Successes a second of `duration + wait`. */
  readonly throughput: number;
  /** Share of answers with status 200 to 399. */
  readonly success: number;
  readonly status_codes: Readonly<Record<string, number>>;
  /** Each different text once. */
  readonly errors: readonly string[];
}

export interface LoadFacts {
  /** Of this part of the document. */
  readonly format: 1;
  readonly name: string;
  /** RFC 3339. */
  readonly started: string;
  /** As it was typed, secrets left out. */
  readonly command: string;
  readonly protocol: string;
  readonly targets: readonly string[];
  /** In words: `500/s, constant`. */
  readonly arrivals: string;
  readonly seed: number;
  readonly warmup_ms: number;
  readonly duration_ms: number;
  /** The generator did what it was told, and did not spoil what it measured. */
  readonly valid: boolean;
  /** Why it is not. */
  readonly problems: readonly LoadProblem[];
  readonly starts: {
    /** Fell due in the measured time. */
    readonly due: number;
    readonly sent: number;
    /** Found every connection busy. Nobody answered them: they are errors to an objective. */
    readonly dropped: number;
    /** Sent, and neither answered nor given up when the run ended; 0 unless it was interrupted. */
    readonly unanswered: number;
  };
  /** From the due time to the last byte of the answer: what a caller waits. */
  readonly response: Spread;
  /** From the send to the last byte: what vegeta and wrk call latency. */
  readonly service: Spread;
  /** From the send to the first byte. */
  readonly first_byte: Spread;
  /** From the due time to the send: how late the generator was. */
  readonly lag: Spread;
  readonly generator: {
    readonly threads: number;
    /** Processor time of the busiest thread in the measured time, as a share of one core, without what it waits busily. */
    readonly cpu: number;
    readonly memory_mib: number;
    readonly connections_peak: number;
  };
  /** At most 3,600 windows, one after the other; they get longer where a test is. */
  readonly window_ms: number;
  readonly timeline: readonly LoadWindow[];
  /** Of response times, in µs. */
  readonly histogram: HistogramCounts;
  readonly objectives: readonly ObjectiveResult[];
  readonly environment: LoadEnvironment;
  /** What the server says of the same time; absent where it was not asked or is no Millrace. */
  readonly server?: ServerView;
}

/** Of what could be measured; all 0 where nothing was. In ms. */
export interface Spread {
  readonly count: number;
  readonly mean_ms: number;
  readonly min_ms: number;
  readonly p50_ms: number;
  readonly p90_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly p999_ms: number;
  readonly p9999_ms: number;
  readonly max_ms: number;
}

export interface LoadProblem {
  readonly code: "lag" | "rate" | "cpu" | "dropped" | "interrupted" | "empty";
  /** With the figure that was found, the limit, and what to do. */
  readonly text: string;
}

/** Requests by the time they were due. */
export interface LoadWindow {
  readonly from_ms: number;
  readonly due: number;
  readonly dropped: number;
  /** Answered 200 to 399. */
  readonly ok: number;
  readonly failed: number;
  /** Answers that came in this window, whenever they were due. */
  readonly answered: number;
  readonly p50_ms: number;
  readonly p90_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  readonly lag_p99_ms: number;
  /** Under way at the end of the window. */
  readonly under_way: number;
  readonly codes: Readonly<Record<string, number>>;
}

export interface ObjectiveResult {
  /** As it was asked for: `p99<50ms`. */
  readonly objective: string;
  readonly met: boolean;
  /** With its unit: `61.2ms`, `0.4%`. */
  readonly found: string;
}

export interface LoadEnvironment {
  readonly millrace: string;
  readonly node: string;
  readonly os: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory_mib: number;
  /** Over a minute, before the test. */
  readonly load_average: number;
}

export interface ServerView {
  /** Requests it counted in the measured time. */
  readonly requests: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
}
