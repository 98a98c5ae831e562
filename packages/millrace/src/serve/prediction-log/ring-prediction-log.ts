import type { PredictionLogConfig, ServiceConfig } from "../../config/config.ts";
import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import type { ExposureRow } from "../../core/predictions/exposure-row.ts";
import type { FeedbackRow } from "../../core/predictions/feedback-row.ts";
import { LineLimit } from "../../core/line-limit.ts";
import { messageOf } from "../../core/message-of.ts";
import { EXPANDED_ROWS_MAX, rowCountOf } from "../../core/predictions/log-rows.ts";
import type { LoggedPrediction } from "../../core/predictions/logged-prediction.ts";
import type { KeyedHash } from "../../core/predictions/redaction.ts";
import { fnv1a } from "../../core/predictions/short-digest.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Predictor } from "../../models/predictor.ts";
import type { Logger } from "../../ports/logger.ts";
import type { SegmentWriter, SegmentWriterEvents } from "../../ports/segments.ts";
import type { PredictionLog, PredictionOutcome } from "../prediction-log.ts";
import { LEVELS, LogRing } from "./log-ring.ts";
import { isLoggable, recordOf } from "./outcome-record.ts";
import type { PredictionLogMetrics } from "./prediction-log-metrics.ts";
import { ServiceLog } from "./service-log.ts";

/** Of plain rows, where there is not room for all. */
const SHED_SHARE = 0.1;

/** `whenFull: wait` waits so long at most. */
const WAIT_MS_MAX = 5;

/** `whenFull: refuse` leaves the rest of the ring to what is being predicted already. */
const REFUSED_FULLNESS = 0.9;

/** The same may be wrong with every prediction. */
const COMPLAINTS_EVERY_MS = 10_000;

/** 2^32 */
const HASHES = 0x1_0000_0000;

const NO_PAYLOAD = LEVELS.indexOf("no_payload");
const SAMPLED = LEVELS.indexOf("sampled");
const NOTHING = LEVELS.indexOf("nothing");

export interface RingPredictionLogOptions {
  readonly config: PredictionLogConfig;
  readonly openWriter: (events: SegmentWriterEvents) => SegmentWriter;
  /** 32 hexadecimal digits; the same in every process of a state folder. */
  readonly hash: KeyedHash;
  /** Name of this process in the rows. */
  readonly node: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: PredictionLogMetrics;
  /** Predictions that are not yet written; by default 10,000. */
  readonly recordsMax?: number;
}

/**
 * Packs predictions into blocks on the thread that made them, and leaves the writing to another one. Where they come
 * faster than they can be written it leaves out first inputs and predictions, then nine of ten plain rows, then rows.
 */
export class RingPredictionLog implements PredictionLog {
  readonly node: string;
  readonly #options: RingPredictionLogOptions;
  readonly #ring: LogRing;
  #config: PredictionLogConfig;
  readonly #services = new Map<string, ServiceLog>();
  readonly #complaints: LineLimit;

  constructor(options: RingPredictionLogOptions) {
    const { config, node, openWriter, clock, log, metrics, recordsMax } = options;
    this.#complaints = new LineLimit(clock, COMPLAINTS_EVERY_MS);
    this.node = node;
    this.#options = options;
    this.#config = config;
    const onLost = (count: number): void => metrics.countDropped("failed", count);
    this.#ring = new LogRing({ openWriter, clock, log, onLost, recordsMax });
    metrics.setUsage(() => this.#ring.usage);
  }

  /** Applies what may change while it runs: `whenFull` and `redact`. */
  configure(config: PredictionLogConfig): void {
    this.#config = config;
    this.#services.clear();
  }

  unitHash(unit: string): string {
    return this.#options.hash(unit);
  }

  admit(): Promise<void> | undefined {
    const { whenFull } = this.#config;
    if (whenFull === "drop") return undefined;
    const { fullness, diskLevel } = this.#ring;
    if (whenFull === "wait") return fullness < 1 ? undefined : this.#ring.room(WAIT_MS_MAX);
    if (fullness < REFUSED_FULLNESS && diskLevel !== "nothing") return undefined;
    const full = diskLevel === "nothing" ? "the disk" : "its memory";
    const text = `Cannot predict: the prediction log takes no rows, ${full} is full and log.whenFull is refuse`;
    throw MillraceError.withoutStack("OVERLOADED", text, { reason: "log", retryAfterSeconds: 1 });
  }

  keepsInputs(service: ServiceConfig, predictor: Predictor, inputs: readonly Tensor[]): boolean {
    if (service.log.payload !== "full") return false;
    return isLoggable(inputs, this.#serviceLog(service).of(predictor).plan);
  }

  /** Never throws: that a prediction cannot be logged is not its fault. */
  add(outcome: PredictionOutcome): void {
    const { service } = outcome.job;
    if (service.log.payload === "off") return;
    try {
      this.#add(outcome);
    } catch (error) {
      this.#options.metrics.countDropped("failed", tableRows(outcome.record.rowCount));
      const heldBack = this.#complaints.pass(service.name);
      if (heldBack === undefined) return;
      const text = `Cannot log a prediction of ${service.name}: ${messageOf(error)}`;
      this.#options.log.error({ service: service.name, moreSinceLast: heldBack, err: error }, text);
    }
  }

  #add(outcome: PredictionOutcome): void {
    const { job, record, prediction, shadow } = outcome;
    const { log } = job.service;
    const service = this.#serviceLog(job.service);
    const isSlow = shadow === undefined && service.latency.observe(record.tookMs);
    const outlierScore = prediction && service.outlierScoreOf(prediction.outputs);
    const isOutlier =
      log.outlier && outlierScore !== undefined ? outlierScore < log.outlier.below : undefined;
    const isPlain = !isSlow && isOutlier !== true && isExpected(outcome);
    const rowCount = tableRows(record.rowCount);
    const level = this.#level;
    const weight = this.#weightOf(record.id, isPlain ? log.sample : 1, {
      isPlain,
      rowCount,
      level,
    });
    if (weight === undefined) return;
    const { hash } = this.#options;
    const { redact } = this.#config;
    const isShed = level >= NO_PAYLOAD;
    const kept = { service, redact, hash, weight, isOutlier, outlierScore, isShed };
    this.#pack(recordOf(outcome, kept), service);
  }

  /** @returns 1 divided by the probability with which it is kept; undefined when it is not. */
  #weightOf(
    id: string,
    sample: number,
    { isPlain, rowCount, level }: { isPlain: boolean; rowCount: number; level: number },
  ): number | undefined {
    const share = level === NOTHING ? 0 : sample * (isPlain && level === SAMPLED ? SHED_SHARE : 1);
    if (share >= 1) return 1;
    const position = fnv1a(id) / HASHES;
    if (position < share) return 1 / share;
    if (position < sample) this.#options.metrics.countDropped(this.#cause, rowCount);
    return undefined;
  }

  /** Index in `LEVELS`. Who would rather refuse than lose a row gets every row that was let in, while there is room. */
  get #level(): number {
    const { levelIndex } = this.#ring;
    const level = Math.max(levelIndex, this.#diskIndex);
    if (this.#config.whenFull !== "refuse" || levelIndex === NOTHING) return level;
    return Math.min(level, NO_PAYLOAD);
  }

  get #diskIndex(): number {
    const { diskLevel } = this.#ring;
    return diskLevel === "all" ? 0 : LEVELS.indexOf(diskLevel);
  }

  /** Of what is left out now. */
  get #cause(): "disk" | "ring" {
    return this.#diskIndex >= this.#ring.levelIndex ? "disk" : "ring";
  }

  #pack(record: LoggedPrediction, service: ServiceLog): void {
    const { metrics } = this.#options;
    const { payload } = record;
    if (payload === "shed") metrics.countPayloadDropped(this.#cause);
    if (payload === "too_large") metrics.countPayloadDropped("too_large");
    let isPacked: boolean;
    try {
      isPacked = this.#ring.add(record);
    } catch {
      // Somebody has taken a tensor apart: a row without it is better than none.
      metrics.countPayloadDropped("failed");
      isPacked = this.#ring.add({
        ...record,
        payload: "failed",
        inputs: undefined,
        outputs: undefined,
      });
    }
    const rowCount = rowCountOf(record);
    if (isPacked) service.rows.add(rowCount);
    else metrics.countDropped("failed", rowCount);
  }

  #serviceLog(service: ServiceConfig): ServiceLog {
    const known = this.#services.get(service.name);
    if (known?.service === service) return known;
    const { metrics } = this.#options;
    const { redact } = this.#config;
    const rows = metrics.rowsOf(service.name);
    const made = new ServiceLog({ service, redact, rows });
    this.#services.set(service.name, made);
    return made;
  }

  async addFeedback(rows: readonly FeedbackRow[]): Promise<void> {
    const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    const bytes = new TextEncoder().encode(lines);
    await this.#ring.write({ table: "feedback", recordCount: rows.length, bytes });
  }

  addExposure(row: ExposureRow): boolean {
    const isTaken = this.#level < NOTHING && this.#ring.addExposure(row);
    if (!isTaken) this.#options.metrics.countDropped(this.#cause, 1);
    return isTaken;
  }

  close(): Promise<void> {
    return this.#ring.close();
  }

  /** Says what is not written yet: the process does not wait for it any longer. */
  giveUp(): void {
    this.#ring.giveUp();
  }
}

/**
 * Is a sample of such outcomes enough? Not of errors; not of units that take part in an experiment, whose rows are
 * counted one by one; nor of shadows that failed or disagree. What a shadow gave goes with the answer it is compared with.
 */
function isExpected({ record, prediction, shadow }: PredictionOutcome): boolean {
  if (shadow !== undefined) return prediction !== undefined && shadow.comparison.isAgreed !== false;
  return prediction !== undefined && record.arm?.assignment.kind !== "enrolled";
}

/** Of a request that is not logged: one that is not taken apart by row is one row of the table. */
function tableRows(rowCount: number): number {
  return rowCount > EXPANDED_ROWS_MAX ? 1 : Math.max(1, rowCount);
}
