import type { JsonValue } from "../core/json.ts";

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** The same figure of what was logged and of the candidate; undefined where nothing was measured. */
export interface Measured {
  readonly logged: Percentiles | undefined;
  readonly candidate: Percentiles | undefined;
}

export interface Agreement {
  /** Rows that were answered when they were logged; one that the candidate failed counts and does not agree. */
  readonly compared: number;
  readonly agreed: number;
  /** From 0 to 1; undefined where nothing was compared. */
  readonly share: number | undefined;
  /** 95 % interval of the share (Wilson). */
  readonly low: number | undefined;
  readonly high: number | undefined;
}

export interface AgreementGroup extends Agreement {
  /** Hour as `2026-11-21T16:00Z`, or label; `other` for all beyond the largest number of them. */
  readonly name: string;
  /** Rows that the candidate failed. */
  readonly failed: number;
  /** By the candidate's label, most first: what the rows that do not agree have become; absent by hour, and where all agree. */
  readonly became?: readonly { readonly label: string; readonly rows: number }[];
}

export interface Disagreement {
  /** As in the log, with `#row` where the request had several. */
  readonly predictionId: string;
  /** Shortened. */
  readonly inputs: string;
  readonly logged: string;
  readonly candidate: string;
  readonly detail: string;
}

export interface Counted {
  readonly name: string;
  readonly count: number;
}

/** What a replay found. Plain data: what `--json` prints. */
export interface ReplayReport {
  readonly service: string;
  readonly candidate: {
    readonly name: string;
    /** `iris@2` */
    readonly model: string;
    readonly digest: string;
  };
  /** ISO 8601; inclusive. */
  readonly from: string;
  /** Exclusive. */
  readonly until: string;
  readonly speed: number | "max";
  /** `label`, `tolerance 0.001`. */
  readonly compare: string;
  /** `interrupted` by whoever ran it, or ended by `--limit`. */
  readonly end: "complete" | "limit" | "interrupted";
  readonly tookMs: number;
  readonly requests: {
    readonly found: number;
    readonly replayed: number;
    /** By reason, most first. */
    readonly skipped: readonly Counted[];
  };
  readonly agreement: Agreement;
  /** Requests by error code. */
  readonly errors: {
    readonly candidate: readonly Counted[];
    readonly logged: readonly Counted[];
    /** Requests that had failed and that the candidate answered. */
    readonly answered: number;
  };
  readonly latency: {
    /** Microseconds of the model, or of all steps; without what came out of a cache. */
    readonly inferUs: Measured;
    /** Microseconds from arrival to answer; the candidate's without a network and without reading a body. */
    readonly totalUs: Measured;
  };
  readonly rate: {
    /** Requests a second, as they were logged. */
    readonly logged: number | undefined;
    /** As they were to be replayed; undefined at full speed. */
    readonly offered: number | undefined;
    /** As they were answered. */
    readonly reached: number | undefined;
    /** Longest time a request was sent after its moment, in milliseconds; undefined at full speed. */
    readonly lateMsMax: number | undefined;
  };
  readonly byHour: readonly AgreementGroup[];
  readonly byLabel: readonly AgreementGroup[];
  /** The first ones. */
  readonly disagreements: readonly Disagreement[];
}

/** Values of a report that people read are cut at this length. */
const SHOWN_CHARACTERS = 160;

/** A value as people read it: numbers with few digits, cut where it gets too long. */
export function shownValue(value: JsonValue): string {
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === "bigint") return part.toString();
    return typeof part === "number" ? Number(part.toPrecision(6)) : part;
  });
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS - 1)}…`;
}
