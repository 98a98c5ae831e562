export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE =
  /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Inf)|\+Inf|NaN)$/;
const LABEL = /^([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

/** Metrics as a Prometheus server would read them. */
export class Metrics {
  readonly samples: readonly Sample[];
  readonly types: ReadonlyMap<string, string>;

  /** @throws at the first line that is not of the text format 0.0.4, and at a histogram that does not add up. */
  constructor(text: string) {
    const types = new Map<string, string>();
    const samples: Sample[] = [];
    if (!text.endsWith("\n")) throw new Error("The last line does not end");
    for (const line of text.slice(0, -1).split("\n")) {
      const comment = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.+)$/.exec(line);
      if (comment === null) samples.push(readSample(line, types));
      else if (comment[1] === "TYPE") {
        const name = comment[2] as string;
        if (types.has(name)) throw new Error(`${name} has two TYPE lines`);
        types.set(name, comment[3] as string);
      }
    }
    this.types = types;
    this.samples = samples;
    this.#checkHistograms();
  }

  /** Sum of the samples with these labels. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.samples
      .filter((sample) => sample.name === name && hasLabels(sample, labels))
      .reduce((total, sample) => total + sample.value, 0);
  }

  #checkHistograms(): void {
    const series = new Map<string, { previous: number; last: number }>();
    for (const { name, labels, value } of this.samples) {
      if (!name.endsWith("_bucket")) continue;
      const { le, ...others } = labels;
      const key = `${name.slice(0, -7)} ${JSON.stringify(others)}`;
      const known = series.get(key) ?? { previous: 0, last: 0 };
      if (le === undefined || value < known.previous)
        throw new Error(`${key} falls at ${le ?? "?"}`);
      series.set(key, { previous: value, last: value });
    }
    for (const [key, { last }] of series) {
      const [name = "", labels = ""] = key.split(/ (.*)/);
      const count = this.sum(`${name}_count`, JSON.parse(labels) as Record<string, string>);
      if (count !== last) throw new Error(`${key}: the last bucket has ${last}, _count ${count}`);
    }
  }
}

function readSample(line: string, types: ReadonlyMap<string, string>): Sample {
  const match = SAMPLE.exec(line);
  if (match === null) throw new Error(`Not a sample: ${line}`);
  const [, name = "", labelText = "", value = ""] = match;
  const family = types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, "");
  if (!types.has(family)) throw new Error(`No TYPE before ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = labelText; rest !== "";) {
    const label = LABEL.exec(rest);
    if (label === null) throw new Error(`Not a label: ${rest}`);
    labels[label[1] as string] = label[2] as string;
    rest = rest.slice(label[0].length);
  }
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
}

function hasLabels(sample: Sample, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => sample.labels[name] === value);
}

export async function readMetrics(address: string | undefined): Promise<Metrics> {
  const reply = await fetch(address ?? "");
  return new Metrics(await reply.text());
}
