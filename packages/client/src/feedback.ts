import type { JsonInput } from "./json.ts";
import type { CallOptions } from "./transport.ts";

/** What became known of a prediction: what was right, or what somebody did about it. */
export type Feedback = FeedbackSubject & FeedbackReport & FeedbackFacts;

/** A prediction by its id, of one row of several `<id>#<row>`; or the last one that was made for an entity by then. */
export type FeedbackSubject =
  | { readonly predictionId: string; readonly entityId?: never }
  | { readonly entityId: string; readonly ts: Date | string; readonly predictionId?: never };

export type FeedbackReport =
  /** What was right: a class, a number, several of them. */
  | { readonly label: FeedbackLabel; readonly event?: never; readonly value?: never }
  /** What the client did, `clicked`, and how much of it. */
  | { readonly event: string; readonly value?: number; readonly label?: never };

export type FeedbackLabel = FeedbackScalar | readonly FeedbackScalar[];

type FeedbackScalar = string | number | bigint | boolean;

export interface FeedbackFacts {
  /** When it happened: a Date, ISO 8601 with its zone, or the time since 1970 with its unit, `1795276800s`. Default: now. */
  readonly ts?: Date | string;
  /** Who says so. */
  readonly source?: string;
  /** Whatever else is to be kept with it. */
  readonly attributes?: Readonly<Record<string, JsonInput>>;
}

export interface FeedbackOptions extends CallOptions {
  /** Names this feedback, 1 to 200 characters. Default: its content does. Sent again it is counted once. */
  readonly idempotencyKey?: string;
}

/** The JSON that the server takes. */
export function feedbackMembers(feedback: Feedback): {
  readonly [member: string]: JsonInput | undefined;
} {
  const { predictionId, entityId, label, event, value, ts, source, attributes } = feedback;
  return {
    ...attributes,
    prediction_id: predictionId,
    entity_id: entityId,
    label,
    event,
    value,
    ts: ts instanceof Date ? ts.toISOString() : ts,
    source,
  };
}
