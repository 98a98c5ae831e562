import { MillraceError } from "../core/errors.ts";
import { readBlock } from "../core/predictions/block-reader.ts";
import { feedbackLines } from "../core/predictions/feedback-lines.ts";
import type { LogTable } from "../core/predictions/log-block.ts";
import type { LoggedPrediction } from "../core/predictions/logged-prediction.ts";
import { requestOf } from "../core/predictions/prediction-key.ts";
import type { LogTables } from "../ports/log-tables.ts";
import type { ReadBlock, SegmentStore } from "../ports/segments.ts";

/** Predictions of a unit in segments: about 100 MB of ids. */
const PREDICTIONS_MAX = 1_000_000;

/** Predictions that the files are asked for at once. */
const ASKED_AT_ONCE = 50_000;

/**
 * Ids of the predictions of a unit that are in segments; what is of it in files, those know themselves.
 * @throws LOG_UNAVAILABLE when there are too many.
 */
export async function predictionsInSegments(
  unitHash: string,
  store: SegmentStore,
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const wanted = Buffer.from(unitHash, "utf8");
  for await (const { bytes } of blocksOf("predictions", store)) {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!view.includes(wanted)) continue;
    for (const record of recordsIfPossible(bytes)) {
      if (record.unitHash === unitHash) ids.add(record.predictionId);
    }
    if (ids.size > PREDICTIONS_MAX) throw tooMany();
  }
  return ids;
}

/**
 * Ids of the predictions of a unit that feedback in segments names.
 * @param inSegments what `predictionsInSegments` found: those may be in no file.
 */
export async function predictionsWithFeedback(
  unitHash: string,
  inSegments: ReadonlySet<string>,
  { store, tables }: { readonly store: SegmentStore; readonly tables: LogTables },
): Promise<readonly string[]> {
  const found = new Set<string>();
  const asked = new Set<string>();
  const ask = async (): Promise<void> => {
    for (const id of await tables.predictionsOf(unitHash, [...asked])) found.add(id);
    asked.clear();
  };
  for await (const { bytes } of blocksOf("feedback", store)) {
    for (const { row } of feedbackLines(bytes)) {
      if (typeof row?.prediction_id !== "string") continue;
      const id = requestOf(row.prediction_id);
      if (inSegments.has(id)) found.add(id);
      else asked.add(id);
    }
    if (asked.size >= ASKED_AT_ONCE) await ask();
  }
  await ask();
  return [...found];
}

async function* blocksOf(table: LogTable, store: SegmentStore): AsyncIterable<ReadBlock> {
  for (const { id } of await store.list()) {
    if (id.table !== table) continue;
    try {
      yield* store.read(id, 0, ignoreDamage);
    } catch (error) {
      // Shipped and deleted meanwhile: a file has it now.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

function recordsIfPossible(bytes: Uint8Array): readonly LoggedPrediction[] {
  try {
    return readBlock(bytes);
  } catch {
    return [];
  }
}

/** Whoever ships it tells of it. */
function ignoreDamage(): void {}

function tooMany(): MillraceError {
  return new MillraceError(
    "LOG_UNAVAILABLE",
    `Cannot forget: more than ${PREDICTIONS_MAX} predictions of the unit are in no file yet; ask again when they are shipped`,
  );
}
