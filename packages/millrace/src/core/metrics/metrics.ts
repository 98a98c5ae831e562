/** Most label combinations one metric keeps; later ones are counted together under "other". */
export const SERIES_MAX = 2_000;

export type MetricKind = "counter" | "gauge" | "histogram";

/** A metric at one moment, as plain data: it travels between processes and becomes text at the end. */
export interface MetricSnapshot {
  readonly name: string;
  readonly help: string;
  readonly kind: MetricKind;
  readonly labelNames: readonly string[];
  /** Upper bounds of the buckets, without +Inf; empty unless a histogram. */
  readonly bounds: readonly number[];
  readonly series: readonly SeriesSnapshot[];
}

export interface SeriesSnapshot {
  readonly labels: readonly string[];
  /** Counter or gauge value, or the histogram's sum. */
  readonly value: number;
  /** Histogram only: observations per bucket (not cumulative), the last one above every bound. */
  readonly buckets: readonly number[];
}

export class Counter {
  value = 0;
  add(amount = 1): void {
    this.value += amount;
  }
}

export class Histogram {
  readonly #bounds: readonly number[];
  readonly buckets: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.buckets = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] as number)) bucket++;
    this.buckets[bucket] = (this.buckets[bucket] as number) + 1;
    this.sum += value;
  }
}

/** The series of one metric, one per combination of label values, at most `SERIES_MAX`. */
class Family<Series> {
  readonly #series = new Map<string, { labels: readonly string[]; series: Series }>();
  readonly #create: () => Series;

  constructor(create: () => Series) {
    this.#create = create;
  }

  /** Keep what it returns where a path is hot: the look-up joins the label values. */
  with(...labels: string[]): Series {
    const key = labels.join("\u0000");
    const known = this.#series.get(key);
    if (known !== undefined) return known.series;
    if (this.#series.size >= SERIES_MAX && labels.some((label) => label !== "other")) {
      return this.with(...labels.map(() => "other"));
    }
    const series = this.#create();
    this.#series.set(key, { labels, series });
    return series;
  }

  all(): Iterable<{ readonly labels: readonly string[]; readonly series: Series }> {
    return this.#series.values();
  }
}

export type CounterFamily = Pick<Family<Counter>, "with">;
export type HistogramFamily = Pick<Family<Histogram>, "with">;

/** Pairs of label values and value. */
export type ValueReader = () => Iterable<readonly [labels: readonly string[], value: number]>;

/** All metrics of one process. */
export class Metrics {
  readonly #readers: (() => MetricSnapshot)[] = [];

  counter(name: string, help: string, labelNames: readonly string[] = []): CounterFamily {
    const family = new Family(() => new Counter());
    this.#readers.push(() => ({
      name,
      help,
      kind: "counter",
      labelNames,
      bounds: [],
      series: [...family.all()].map(({ labels, series }) => ({
        labels,
        value: series.value,
        buckets: [],
      })),
    }));
    return family;
  }

  /** @param bounds upper bounds of the buckets, ascending, in the unit of the name. */
  histogram(
    name: string,
    help: string,
    labelNames: readonly string[],
    bounds: readonly number[],
  ): HistogramFamily {
    const family = new Family(() => new Histogram(bounds));
    this.#readers.push(() => ({
      name,
      help,
      kind: "histogram",
      labelNames,
      bounds,
      series: [...family.all()].map(({ labels, series }) => ({
        labels,
        value: series.sum,
        buckets: [...series.buckets],
      })),
    }));
    return family;
  }

  /** A value that is read when somebody asks. */
  gauge(name: string, help: string, labelNames: readonly string[], read: ValueReader): void {
    this.#addReader({ name, help, kind: "gauge", labelNames }, read);
  }

  /** A count that something else keeps, read when somebody asks. */
  externalCounter(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: ValueReader,
  ): void {
    this.#addReader({ name, help, kind: "counter", labelNames }, read);
  }

  #addReader(metric: Omit<MetricSnapshot, "bounds" | "series">, read: ValueReader): void {
    this.#readers.push(() => ({
      ...metric,
      bounds: [],
      series: [...read()].map(([labels, value]) => ({ labels, value, buckets: [] })),
    }));
  }

  snapshot(): MetricSnapshot[] {
    return this.#readers.map((read) => read());
  }
}
