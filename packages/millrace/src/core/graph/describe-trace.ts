import type { StepFact, StepStatus, StepTrace } from "./step-trace.ts";

/** A traced step as plain data, for the prediction log and for `explain`. */
export interface StepRecord {
  readonly name: string;
  readonly kind: string;
  readonly status: StepStatus;
  /** When it began, in milliseconds since the request came, to a microsecond. */
  readonly startedMs: number;
  readonly tookMs: number;
  readonly facts?: Readonly<Record<string, StepFact>>;
  readonly steps?: readonly StepRecord[];
  /** Steps that ran and are not written down; only the outermost step says so. */
  readonly untracedSteps?: number;
}

/** @param trace of the outermost step. */
export function describeTrace(trace: StepTrace): StepRecord {
  const { untracedCount } = trace;
  return { ...recordOf(trace), ...(untracedCount > 0 && { untracedSteps: untracedCount }) };
}

function recordOf(trace: StepTrace): StepRecord {
  const { name, kind, status, facts, children } = trace;
  return {
    name,
    kind,
    status,
    startedMs: toMicroseconds(trace.startedMs),
    tookMs: toMicroseconds(trace.tookMs),
    ...(Object.keys(facts).length > 0 && { facts: { ...facts } }),
    ...(children.length > 0 && { steps: children.map(recordOf) }),
  };
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
