import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import { MillraceError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { flatJson, nestedJson, withShortNumbers } from "../core/tensor/write-json.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import { Counts } from "../replay/counts.ts";
import { isWhole } from "../replay/group-rows.ts";
import type { LoggedRequest } from "../replay/logged-request.ts";
import { LoggedTraffic, type TrafficFilter } from "../replay/logged-traffic.ts";
import { rebuildInputs, type InputNames } from "../replay/rebuild-inputs.ts";
import { LoadInputError } from "./load-input-error.ts";
import type { LoadTarget } from "./payloads/load-target.ts";
import { SharedBodies } from "./payloads/shared-bodies.ts";

export interface ReplayOptions {
  readonly traffic: TrafficFilter;
  /** What the service takes, and what the log calls it. */
  readonly names: InputNames;
  readonly request: Pick<LoadTarget, "method" | "url" | "headers">;
  /** Of the bodies: of `/predict`, or of `/v2/models/…/infer`. */
  readonly form: "predict" | "infer";
  /** Above 0; 1 is the pace at which the requests came. */
  readonly speed: number;
}

/** Logged requests as a load test. */
export interface ReplayedArrivals {
  /** One for each start. */
  readonly targets: readonly LoadTarget[];
  readonly arrivals: Extract<ArrivalsPlan, { readonly kind: "times" }>;
  /** In the log, in the time that was asked for. */
  readonly found: number;
  /** Why the others are not sent, and how many. */
  readonly skipped: readonly { readonly name: string; readonly count: number }[];
  /** There are more than can be sent; the oldest are. */
  readonly isCut: boolean;
}

const REQUESTS_MAX = 100_000;
const BODY_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Reads what was asked of a service, and when, from the prediction log.
 * @param signal ends it: its reason is thrown.
 * @throws LoadInputError when nothing can be sent; what the engine throws.
 */
export async function replayArrivals(
  engine: QueryEngine,
  options: ReplayOptions,
  signal?: AbortSignal,
): Promise<ReplayedArrivals> {
  const traffic = new LoggedTraffic(engine, options.traffic, signal);
  const kinds = await traffic.kinds();
  const found = kinds.reduce((sum, { requests }) => sum + requests, 0);
  const collected = new CollectedRequests(options);
  for (const { skipped, requests } of kinds) {
    if (skipped !== undefined && requests > 0) collected.skipped.add(skipped, requests);
  }
  let isCut = false;
  for await (const request of traffic.requests()) {
    isCut = !collected.add(request);
    if (isCut) break;
  }
  if (collected.targets.length === 0) throw nothingToReplay(options.traffic.service, collected);
  const { targets, skipped } = collected;
  return { targets, arrivals: collected.arrivals(), found, skipped: skipped.list(), isCut };
}

class CollectedRequests {
  readonly targets: LoadTarget[] = [];
  readonly skipped = new Counts();
  readonly #options: ReplayOptions;
  readonly #bodies = new SharedBodies(BODY_BYTES_MAX);
  readonly #receivedUs: number[] = [];

  constructor(options: ReplayOptions) {
    this.#options = options;
  }

  /** @returns false when there is no room for it. */
  add(logged: LoggedRequest): boolean {
    if (this.targets.length >= REQUESTS_MAX) return false;
    const body = this.#bodyOf(logged);
    if (typeof body !== "string") {
      this.skipped.add(body.reason);
      return true;
    }
    const bytes = this.#bodies.keep(Buffer.from(body));
    if (bytes === undefined) return false;
    this.targets.push({ ...this.#options.request, body: [{ kind: "bytes", bytes }], weight: 1 });
    this.#receivedUs.push(logged.rows[0].receivedUs);
    return true;
  }

  arrivals(): ReplayedArrivals["arrivals"] {
    const [firstUs = 0] = this.#receivedUs;
    const { speed } = this.#options;
    const timesMs = Float64Array.from(this.#receivedUs, (us) => (us - firstUs) / 1000 / speed);
    return { kind: "times", timesMs };
  }

  #bodyOf(logged: LoggedRequest): string | { readonly reason: string } {
    const { names, form } = this.#options;
    if (!isWhole(logged)) return { reason: "not all of its rows were logged" };
    const rebuilt = rebuildInputs(logged, names);
    if (rebuilt.kind === "skipped") return rebuilt;
    try {
      return form === "predict" ? predictBody(rebuilt.inputs) : inferBody(rebuilt.inputs);
    } catch (error) {
      if (error instanceof MillraceError) return { reason: error.message };
      throw error;
    }
  }
}

/** With the digits that were sent: 5.1 and not the nearest FP32 number. */
function predictBody(inputs: readonly Tensor[]): string {
  const members = inputs.map(
    (tensor) => `${JSON.stringify(tensor.name)}:${nestedJson(withShortNumbers(tensor))}`,
  );
  return `{"inputs":{${members.join(",")}}}`;
}

function inferBody(inputs: readonly Tensor[]): string {
  const entries = inputs.map((tensor) => {
    const { name, datatype, shape } = tensor;
    const data = flatJson(withShortNumbers(tensor));
    return `{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(",")}],"data":${data}}`;
  });
  return `{"inputs":[${entries.join(",")}]}`;
}

function nothingToReplay(service: string, { skipped }: CollectedRequests): LoadInputError {
  const reasons = skipped.list().map(({ name, count }) => `${count} because ${name}`);
  const why = reasons.length === 0 ? "the log has none in that time" : reasons.join(", ");
  return new LoadInputError(`Cannot replay requests of "${service}": ${why}`);
}
