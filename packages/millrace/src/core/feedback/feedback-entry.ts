/** What is known of a prediction later: what was right, or what somebody did about it. */
export interface FeedbackEntry {
  readonly about: FeedbackSubject;
  readonly report: FeedbackReport;
  /** When it happened, microseconds since 1970; undefined is now. */
  readonly tsUs: number | undefined;
  /** Who says so. */
  readonly source: string | undefined;
  /** JSON of whatever else was given; undefined when nothing was. */
  readonly attributes: string | undefined;
}

/** A prediction by its id, in lower case; or the last one that was made for a unit by then. */
export type FeedbackSubject =
  | { readonly kind: "prediction"; readonly id: string }
  | { readonly kind: "unit"; readonly entityId: string };

export type FeedbackReport =
  /** `text` is the label as text, of a list its JSON; `value` that of a number. */
  | { readonly kind: "label"; readonly text: string; readonly value: number | undefined }
  | { readonly kind: "event"; readonly name: string; readonly value: number | undefined };
