/** What a Millrace has counted since it started. */
export interface ServerCounts {
  /** Predictions that took at most so many seconds, by the upper bound of a bucket; the last one is Infinity. */
  readonly atMost: ReadonlyMap<number, number>;
  /** Requests that were refused before a model ran, by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

const BUCKET = /^inference_request_duration_seconds_bucket\{(.*)\} (\S+)$/;
const REFUSED = /^inference_rejected_total\{(.*)\} (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/**
 * Reads the metrics page of a Millrace.
 * @param text Prometheus text.
 * @param service whose predictions count; undefined: of all of them. Refusals are counted over all services.
 * @returns undefined when it is the page of something else.
 */
export function readServerCounts(
  text: string,
  service: string | undefined,
): ServerCounts | undefined {
  if (!text.includes("# TYPE inference_request_duration_seconds ")) return undefined;
  const atMost = new Map<number, number>();
  const refused = new Map<string, number>();
  for (const line of text.split("\n")) {
    const bucket = BUCKET.exec(line);
    if (bucket !== null) {
      const labels = labelsOf(bucket[1] ?? "");
      if (service === undefined || labels.get("service") === service) {
        add(atMost, Number((labels.get("le") ?? "").replace("+Inf", "Infinity")), bucket[2]);
      }
      continue;
    }
    const refusal = REFUSED.exec(line);
    if (refusal !== null) add(refused, labelsOf(refusal[1] ?? "").get("reason") ?? "", refusal[2]);
  }
  return { atMost, refused };
}

function labelsOf(text: string): ReadonlyMap<string, string> {
  return new Map(Array.from(text.matchAll(LABEL), ([, name = "", value = ""]) => [name, value]));
}

function add<Key>(counts: Map<Key, number>, key: Key, value: string | undefined): void {
  counts.set(key, (counts.get(key) ?? 0) + Number(value));
}
