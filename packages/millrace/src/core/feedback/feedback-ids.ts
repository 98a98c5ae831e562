import { KeyWriter, type Sha256 } from "../cache/key-writer.ts";
import type { FeedbackEntry } from "./feedback-entry.ts";

/** Stands for what was not given. */
const ABSENT = "";

/**
 * Ids by content: the same feedback sent again has the same id, whichever process takes it. A time counts only when the
 * sender gave it, for the server's own would make every repeat something new.
 */
export class FeedbackIds {
  readonly #writer: KeyWriter;

  constructor(sha256: Sha256) {
    this.#writer = new KeyWriter(sha256);
  }

  /**
   * @param subject id of the prediction, or hash of the unit.
   * @returns 64 hexadecimal digits.
   */
  idOf({ about, report, tsUs, source }: FeedbackEntry, subject: string): string {
    const writer = this.#writer;
    writer.texts([
      about.kind,
      subject,
      report.kind,
      report.kind === "label" ? report.text : report.name,
      report.value === undefined ? ABSENT : String(report.value),
      tsUs === undefined ? ABSENT : String(tsUs),
      source ?? ABSENT,
    ]);
    return writer.finish();
  }
}
