import { hash } from "node:crypto";
import type { PredictionLogConfig } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import type { FeedbackEntry } from "../../core/feedback/feedback-entry.ts";
import { FeedbackIds } from "../../core/feedback/feedback-ids.ts";
import type { Feedback } from "../../core/feedback/read-feedback.ts";
import type { FeedbackRow } from "../../core/predictions/feedback-row.ts";
import { readPredictionKey } from "../../core/predictions/prediction-key.ts";
import type { PredictionLog } from "../prediction-log.ts";
import type { FeedbackMetrics } from "./feedback-metrics.ts";
import { redactAttributes } from "./redact-attributes.ts";

export interface FeedbackIntakeOptions {
  /** Undefined where no predictions are logged. */
  readonly log: () => PredictionLog | undefined;
  /** As the file says now. */
  readonly config: () => Pick<PredictionLogConfig, "feedbackWindowMs" | "redact">;
  readonly clock: Clock;
  readonly metrics: FeedbackMetrics;
}

/** Longest wait for the log. */
const WRITE_MS_MAX = 10_000;

/** Somebody has to change the file first. */
const NO_LOG_RETRY_SECONDS = 60;

/** Takes feedback into the log. Whether there is such a prediction shows when somebody joins the two. */
export class FeedbackIntake {
  readonly #options: FeedbackIntakeOptions;
  readonly #ids = new FeedbackIds((bytes) => hash("sha256", bytes, "hex"));

  constructor(options: FeedbackIntakeOptions) {
    this.#options = options;
  }

  /** Milliseconds since 1970. */
  get nowMs(): number {
    return this.#options.clock.wallMs();
  }

  /**
   * Writes it.
   * @param service whose route it came by.
   * @param key the sender's name for this request; undefined names it by its content.
   * @returns ids of the entries in their order, when they are written.
   * @throws LOG_UNAVAILABLE when there is no log, or it cannot write.
   */
  async take(service: string, feedback: Feedback, key?: string): Promise<readonly string[]> {
    const { metrics } = this.#options;
    const log = this.#options.log();
    if (log === undefined) throw noLog();
    const nowMs = this.nowMs;
    const { entries, isList } = feedback;
    const delays = entries.map((entry) => delayOf(entry, nowMs));
    const rows = entries.map((entry, index) => {
      const id = key === undefined || !isList ? key : `${key}#${index}`;
      return this.#rowOf(entry, { log, service, nowMs, id, delayMs: delays[index] });
    });
    await this.#inTime(log.addFeedback(rows));
    for (const [index, { kind, is_late: isLate }] of rows.entries()) {
      metrics.count(kind, isLate, delays[index]);
    }
    return rows.map(({ feedback_id: id }) => id);
  }

  /** A disk that hangs is tried again and again; whoever waits is told, and may send it again. */
  async #inTime(written: Promise<void>): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const cancel = this.#options.clock.schedule(WRITE_MS_MAX, () => reject(tooSlow()));
    try {
      await Promise.race([written, late]);
    } finally {
      cancel();
    }
  }

  #rowOf(entry: FeedbackEntry, arrival: Arrival): FeedbackRow {
    const { about, report, tsUs, source, attributes } = entry;
    const { log, service, nowMs, delayMs } = arrival;
    const { feedbackWindowMs, redact } = this.#options.config();
    const unitHash = about.kind === "unit" ? log.unitHash(about.entityId) : undefined;
    const predictionId = about.kind === "prediction" ? about.id : undefined;
    const subject = unitHash ?? predictionId ?? "";
    const hashed = (text: string): string => log.unitHash(text);
    return {
      ts: tsUs ?? nowMs * 1_000,
      received_ts: nowMs * 1_000,
      feedback_id: arrival.id ?? this.#ids.idOf(entry, subject),
      prediction_id: predictionId ?? null,
      unit_hash: unitHash ?? null,
      service,
      kind: report.kind,
      label: report.kind === "label" ? report.text : null,
      event: report.kind === "event" ? report.name : null,
      value: report.value ?? null,
      source: source ?? null,
      attributes: redactAttributes(attributes, redact, hashed) ?? null,
      is_late: delayMs !== undefined && delayMs > feedbackWindowMs,
      node: log.node,
    };
  }
}

interface Arrival {
  readonly log: PredictionLog;
  readonly service: string;
  readonly nowMs: number;
  /** Undefined names the entry by its content. */
  readonly id: string | undefined;
  readonly delayMs: number | undefined;
}

/** Since its prediction; undefined where the subject does not tell when that was. */
function delayOf({ about }: FeedbackEntry, nowMs: number): number | undefined {
  const key = about.kind === "prediction" ? readPredictionKey(about.id) : undefined;
  return key === undefined ? undefined : nowMs - key.madeAtMs;
}

function tooSlow(): MillraceError {
  return new MillraceError(
    "LOG_UNAVAILABLE",
    `Cannot take feedback: it was not written within ${WRITE_MS_MAX} ms; send it again, it counts once`,
    { retryAfterSeconds: 1 },
  );
}

function noLog(): MillraceError {
  return new MillraceError(
    "LOG_UNAVAILABLE",
    "Cannot take feedback: predictions are not logged, set log.sink to parquet and state.dir to a folder",
    { retryAfterSeconds: NO_LOG_RETRY_SECONDS },
  );
}
