import { MillraceError } from "../../core/errors.ts";
import type { FeedbackRow } from "../../core/predictions/feedback-row.ts";
import type { PredictionLog } from "../prediction-log.ts";

/** A log that keeps feedback in memory, and can be told that its disk is full, or hangs. */
export class TestLog implements PredictionLog {
  readonly rows: FeedbackRow[] = [];
  readonly node = "p0-test";
  isBroken = false;
  hangs = false;

  admit(): undefined {
    return undefined;
  }

  add(): void {
    throw new Error("No predictions here");
  }

  keepsInputs(): boolean {
    return false;
  }

  addExposure(): boolean {
    throw new Error("No experiments here");
  }

  addFeedback(rows: readonly FeedbackRow[]): Promise<void> {
    if (this.isBroken) {
      const message = "Cannot write feedback: the disk is full, 10 % is to stay free";
      return Promise.reject(new MillraceError("LOG_UNAVAILABLE", message));
    }
    this.rows.push(...rows);
    return this.hangs ? new Promise(() => undefined) : Promise.resolve();
  }

  unitHash(unit: string): string {
    return `hash of ${unit}`;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
