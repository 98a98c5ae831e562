import type { ErrorCode } from "../core/errors.ts";
import type { StepTrace } from "../core/graph/step-trace.ts";
import type { PredictionRole } from "../core/predictions/logged-prediction.ts";
import type { Attributes } from "../core/rules/attributes.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { RuleSet } from "../core/rules/rule-set.ts";
import type { ChosenArm } from "./experiments/service-experiment.ts";

/** Predictions that one process remembers. */
export const RECENT_PREDICTIONS_MAX = 2_000;

/** What the rules of a service were asked about a request. */
export interface AskedRules {
  readonly rules: RuleSet;
  /** What they may look at again: values that were read once, and nothing of the request beside them. */
  readonly attributes: Attributes;
  readonly wallMs: number;
}

/** What was decided for one prediction. */
export interface PredictionRecord {
  readonly id: string;
  /** As in `x-request-id`. */
  readonly requestId: string | undefined;
  /** 32 hexadecimal digits; undefined when it is a part of no trace. */
  readonly traceId: string | undefined;
  readonly service: string;
  /** Route or call it came by: `/predict`, `ModelInfer`. */
  readonly endpoint: string;
  /** Versions that were to answer, `iris@1`; empty when none was chosen. */
  readonly model: string;
  /** Of what was to answer. */
  readonly digest: string;
  readonly role: PredictionRole;
  readonly rowCount: number;
  readonly rule: string | undefined;
  readonly asked: AskedRules | undefined;
  /** Of the service's experiment; undefined when it has none or something else chose. */
  readonly arm: ChosenArm | undefined;
  /** Of the live changes that were in force; 0 is none. */
  readonly overrideVersion: number;
  /** When it came, milliseconds since 1970. */
  readonly receivedWallMs: number;
  readonly tookMs: number;
  readonly queueMs: number;
  readonly batchMs: number;
  readonly computeMs: number;
  readonly code: "ok" | ErrorCode;
  readonly message: string | undefined;
  readonly degraded: string | undefined;
  readonly cache: "hit" | "miss" | "stale" | undefined;
  readonly trace: StepTrace | undefined;
  /** Predictions that were nobody's answer; large ones are left out. */
  readonly observed: readonly Tensor[] | undefined;
}

/** Elements of one observed output that are kept with a record. */
const OBSERVED_ELEMENTS_MAX = 64;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The last predictions of this process, for `explain`. The slots are written over in place: an object a prediction
 * that outlives its request would be moved twice by the garbage collector.
 */
export class RecentPredictions {
  readonly #slots: Mutable<PredictionRecord>[] = [];
  #next = 0;

  add(record: PredictionRecord): void {
    const slot = this.#slots[this.#next];
    if (slot === undefined) this.#slots.push(copy(record, { ...record }));
    else copy(record, slot);
    this.#next = (this.#next + 1) % RECENT_PREDICTIONS_MAX;
  }

  /** @param id of the prediction or of the request. @returns undefined when it is not known, or not any more. */
  find(id: string): PredictionRecord | undefined {
    const own = this.#slots.find((slot) => slot.id === id);
    if (own !== undefined) return own;
    // A client chooses the id of its request, and may choose one again: the newest is meant.
    const isAsked = ({ requestId }: PredictionRecord): boolean => requestId === id;
    const newer = this.#slots.slice(0, this.#next);
    return newer.findLast(isAsked) ?? this.#slots.slice(this.#next).findLast(isAsked);
  }
}

/** Written out: `Object.assign` costs ten times as much. */
function copy(from: PredictionRecord, to: Mutable<PredictionRecord>): Mutable<PredictionRecord> {
  to.id = from.id;
  to.requestId = from.requestId;
  to.traceId = from.traceId;
  to.service = from.service;
  to.endpoint = from.endpoint;
  to.model = from.model;
  to.digest = from.digest;
  to.role = from.role;
  to.rowCount = from.rowCount;
  to.rule = from.rule;
  to.asked = from.asked;
  to.arm = from.arm;
  to.overrideVersion = from.overrideVersion;
  to.receivedWallMs = from.receivedWallMs;
  to.tookMs = from.tookMs;
  to.queueMs = from.queueMs;
  to.batchMs = from.batchMs;
  to.computeMs = from.computeMs;
  to.code = from.code;
  to.message = from.message;
  to.degraded = from.degraded;
  to.cache = from.cache;
  to.trace = from.trace;
  to.observed = from.observed?.filter(({ data }) => data.length <= OBSERVED_ELEMENTS_MAX);
  return to;
}
