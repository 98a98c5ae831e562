import type { JsonValue } from "./core/json.ts";

/** What became known of a prediction: of its id, or of the last one that was made for an entity by `ts`. */
export interface LibraryFeedback {
  /** Of one row of several `<id>#<row>`. */
  readonly predictionId?: string;
  /** In place of `predictionId`; needs `ts`. */
  readonly entityId?: string;
  /** What was right. */
  readonly label?: string | number | bigint | boolean | readonly (string | number | boolean)[];
  /** In place of `label`: what was done about it. */
  readonly event?: string;
  /** Of the event. */
  readonly value?: number;
  /** When it happened. Default: now. */
  readonly ts?: Date | string;
  /** Who says so. */
  readonly source?: string;
  /** Whatever else is to be kept with it. */
  readonly attributes?: Readonly<Record<string, JsonValue>>;
}

/** As the body of a request has it. */
export function feedbackBody(feedback: LibraryFeedback): JsonValue {
  const { predictionId, entityId, label, event, value, ts, source, attributes } = feedback;
  return {
    ...attributes,
    prediction_id: predictionId ?? null,
    entity_id: entityId ?? null,
    label: label ?? null,
    event: event ?? null,
    value: value ?? null,
    ts: (ts instanceof Date ? ts.toISOString() : ts) ?? null,
    source: source ?? null,
  };
}

/** `Array.isArray` says nothing of lists that are readonly. */
export function isFeedbackList(
  feedback: LibraryFeedback | readonly LibraryFeedback[],
): feedback is readonly LibraryFeedback[] {
  return Array.isArray(feedback);
}
