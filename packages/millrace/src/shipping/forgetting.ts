import { MillraceError } from "../core/errors.ts";
import type { Clock } from "../core/clock.ts";
import { segmentKey } from "../core/predictions/segment-name.ts";
import type { Logger } from "../ports/logger.ts";
import type { LogTables, TableFile } from "../ports/log-tables.ts";
import type { PredictionSink } from "../ports/prediction-sink.ts";
import type { Segment, SegmentStore } from "../ports/segments.ts";
import type { ForgottenUnits } from "./forgotten-units.ts";
import type { ForgetResult } from "./log-messages.ts";
import { wholeBatch } from "./next-batch.ts";

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
 * Takes the rows of a unit out of everything. First it is noted, so that no row of it gets into a file any more; then the
 * files that have some are made again: of the segment where that still exists, since what is made of it later is made
 * without the unit too, else of the file.
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
    const segments = await store.list();
    await units.add(
      unitHash,
      clock.wallMs() * 1_000,
      segments.map(({ id }) => id),
    );
    const counts = await forgetInFiles(unitHash, options);
    return { unitHash, ...counts, segments: segments.length };
  });
}

async function forgetInFiles(
  unitHash: string,
  options: ForgettingOptions,
): Promise<{ readonly rows: number; readonly files: number }> {
  const { tables, store } = options;
  let rows = 0;
  let files = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const found = await tables.holding([unitHash]);
    if (found.length === 0) return { rows, files };
    const existing = new Map((await store.list()).map((one) => [keyOf(one), one]));
    const segments = new Set<Segment>();
    for (const { file, rowCount } of found) {
      const segment = existing.get(`${file.table}/${nameOf(file)}`);
      if (segment === undefined) await rewriteFile(file, unitHash, options);
      else segments.add(segment);
      rows += rowCount;
      files++;
    }
    for (const segment of segments) await writeAgain(segment, options);
  }
  const text = `Cannot forget: after ${ROUNDS_MAX} tries there are files with rows of the unit`;
  throw new MillraceError("LOG_UNAVAILABLE", text);
}

async function rewriteFile(
  file: TableFile,
  unitHash: string,
  { tables }: ForgettingOptions,
): Promise<void> {
  await tables.rewrite([file], { kind: "forget", unitHashes: [unitHash] });
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
