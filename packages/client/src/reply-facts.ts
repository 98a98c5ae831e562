/** Facts about a prediction that every reply carries as headers. */
export interface ReplyFacts {
  /** `x-request-id`: the caller's, or the server's own. */
  readonly requestId: string | undefined;
  /** `x-prediction-id`, a UUIDv7: for feedback and `millrace explain`. */
  readonly predictionId: string | undefined;
  /** Name of the model that answered, from `x-model: name@version`. */
  readonly model: string | undefined;
  readonly version: string | undefined;
  /** Arm of the service's experiment that answered, from `x-model-variant`; absent where there is none. */
  readonly variant?: string;
  /** `fallback`, `partial` or `cached`; absent for a full answer. */
  readonly degraded?: string;
  /** `Server-Timing`: milliseconds by stage, e.g. `{ queue: 0.1, batch: 0.2, infer: 1.4 }`. */
  readonly timings: Readonly<Record<string, number>>;
}

export function readFacts(headers: Headers): ReplyFacts {
  const variant = headers.get("x-model-variant");
  const degraded = headers.get("x-degraded");
  const [model, version] = (headers.get("x-model") ?? "").split("@");
  return {
    requestId: headers.get("x-request-id") ?? undefined,
    predictionId: headers.get("x-prediction-id") ?? undefined,
    model: model === "" ? undefined : model,
    version,
    ...(variant === null ? {} : { variant }),
    ...(degraded === null ? {} : { degraded }),
    timings: readTimings(headers.get("server-timing") ?? ""),
  };
}

/** @returns the `dur` of each metric that has one; a metric that comes twice is summed. */
function readTimings(header: string): Record<string, number> {
  const timings: Record<string, number> = {};
  for (const metric of header.split(",")) {
    const match = /^\s*([^\s;]+)\s*;.*?\bdur="?([\d.]+)/.exec(metric);
    if (match?.[1] === undefined) continue;
    timings[match[1]] = (timings[match[1]] ?? 0) + Number(match[2]);
  }
  return timings;
}
