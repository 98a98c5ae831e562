import { MillraceError } from "../core/errors.ts";
import type { Clock } from "../core/clock.ts";
import type { LogTable } from "../core/predictions/log-block.ts";
import { segmentKey } from "../core/predictions/segment-name.ts";
import type { Logger } from "../ports/logger.ts";
import type { ForgetChange, LogTables, TableFile } from "../ports/log-tables.ts";
import type { PredictionSink } from "../ports/prediction-sink.ts";
import type { Segment, SegmentStore } from "../ports/segments.ts";
import type { ForgottenUnits } from "./forgotten-units.ts";
import type { ForgetResult } from "./log-messages.ts";
import { wholeBatch } from "./next-batch.ts";
import { predictionsInSegments, predictionsWithFeedback } from "./unit-predictions.ts";

/** Times the files are gone through: segments that are deleted meanwhile change which ones are theirs. */
const ROUNDS_MAX = 5;

export interface ForgettingOptions {
  readonly tables: LogTables;
  /** The sink that fills the tables. */
  readonly sink: PredictionSink;
  readonly store: SegmentStore;
  readonly units: ForgottenUnits;
  readonly clock: Clock;
  readonly log: Logger;
  /** Runs while nothing is written to the tables. */
  readonly exclusive: <Result>(run: () => Promise<Result>) => Promise<Result>;
  /** Deletes nothing, as long as the law asks for it. */
  readonly isHeld: boolean;
}

/**
 * Takes the rows of a unit out of everything. The files that have some are made again: of the segment where that still
 * exists, since what is made of it later is made without the unit too, else of the file.
 *
 * Feedback may name a prediction and not the unit, and goes first: only while the prediction is there, is it known whose
 * it is. So nothing is noted before no file has such feedback, and what is killed half way can be done again.
 */
export async function forget(unitHash: string, options: ForgettingOptions): Promise<ForgetResult> {
  const { store, units, clock, exclusive, isHeld } = options;
  if (isHeld) {
    throw new MillraceError(
      "LOG_UNAVAILABLE",
      "Cannot forget: log.retention.hold is on, nothing is deleted",
    );
  }
  return exclusive(async () => {
    const untilUs = clock.wallMs() * 1_000;
    const inSegments = await predictionsInSegments(unitHash, store);
    const predictionIds = await predictionsWithFeedback(unitHash, inSegments, options);
    const change = {
      kind: "forget",
      unitHashes: [unitHash],
      predictionIds: [...inSegments],
    } as const;
    const unit = { unitHash, untilUs, predictionIds };
    const feedback = await units.during(unit, () => forgetInFiles("feedback", change, options));
    const segments = await store.list();
    // From now on no row of it gets into a file any more.
    await units.add(
      unit,
      segments.map(({ id }) => id),
    );
    const exposures = await forgetInFiles("exposures", change, options);
    const predictions = await forgetInFiles("predictions", change, options);
    return {
      unitHash,
      rows: feedback.rows + exposures.rows + predictions.rows,
      files: feedback.files + exposures.files + predictions.files,
      segments: segments.length,
    };
  });
}

async function forgetInFiles(
  table: LogTable,
  change: ForgetChange,
  options: ForgettingOptions,
): Promise<{ readonly rows: number; readonly files: number }> {
  const { tables, store } = options;
  let rows = 0;
  let files = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const found = await tables.holding(table, change);
    if (found.length === 0) return { rows, files };
    const existing = new Map((await store.list()).map((one) => [keyOf(one), one]));
    const segments = new Set<Segment>();
    for (const { file, rowCount } of found) {
      const segment = existing.get(`${table}/${nameOf(file)}`);
      if (segment === undefined) await tables.rewrite([file], change);
      else segments.add(segment);
      rows += rowCount;
      files++;
    }
    for (const segment of segments) await writeAgain(segment, options);
  }
  const text = `Cannot forget: after ${ROUNDS_MAX} tries there are files with rows of the unit`;
  throw new MillraceError("LOG_UNAVAILABLE", text);
}

/** One that is deleted meanwhile leaves a file that the next round finds. */
async function writeAgain(segment: Segment, { sink, store }: ForgettingOptions): Promise<void> {
  const batch = wholeBatch(segment, { store, onDamage: () => undefined });
  try {
    await sink.write(batch, new AbortController().signal);
  } catch (error) {
    const there = await store.list();
    if (there.some((one) => keyOf(one) === keyOf(segment))) throw error;
  }
}

function keyOf({ id }: Segment): string {
  return `${id.table}/${segmentKey(id)}`;
}

/** `p0-01992f3c7a5e-00000012` */
function nameOf({ path, partition }: TableFile): string {
  return path.slice(partition.length + 1).replace(/\.parquet$/, "");
}
