import type { PredictionLogConfig } from "../config/config.ts";
import type { TableFile } from "../ports/log-tables.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** After its end and the time in which a segment ends, a partition is closed when this has passed: shipping takes time. */
const CLOSED_AFTER_MS = 5 * 60_000;

/** Files of this size and above are left as they are: reading many rows of few files is fast already. */
const COMPACTED_BYTES_MAX = 1024 * 1024 * 1024;

/** Small files in a partition that is still written to, beyond which they become one. */
const SMALL_FILES_MAX = 16;
const SMALL_BYTES_MAX = 16 * 1024 * 1024;

/** Files one rewrite takes: each is open while it runs. */
const REWRITE_FILES_MAX = 256;

/** What is to be done with files of one partition. */
export interface HousekeepingJob {
  readonly kind: "remove" | "drop_payload" | "compact";
  readonly files: readonly TableFile[];
}

export interface HousekeepingFacts {
  /** Milliseconds since 1970-01-01 UTC. */
  readonly wallMs: number;
  /** By which rows are old: of a `RetentionClock`. */
  readonly retentionMs: number;
  readonly config: Pick<PredictionLogConfig, "retention" | "rollMs">;
}

/**
 * What is to be done with the files, the most urgent first.
 * @param files without those of segments that exist: they may be written again.
 */
export function planHousekeeping(
  files: readonly TableFile[],
  facts: HousekeepingFacts,
): readonly HousekeepingJob[] {
  const partitions = [...Map.groupBy(files, ({ partition }) => partition).values()];
  const expired = facts.config.retention.isHeld
    ? []
    : partitions.flatMap((partition) => expiredJob(partition, facts) ?? []);
  const isBusy = new Set(expired.flatMap((job) => job.files[0]?.partition ?? []));
  const compact = partitions
    .filter(([file]) => file !== undefined && !isBusy.has(file.partition))
    .flatMap((partition) => compactJob(partition, facts) ?? []);
  return [...expired, ...compact];
}

/** A partition goes as a whole, when its youngest row is old. */
function expiredJob(
  files: readonly TableFile[],
  { retentionMs, config }: HousekeepingFacts,
): HousekeepingJob | undefined {
  const [first] = files;
  if (first === undefined) return undefined;
  const ageMs = retentionMs - partitionEndMs(first);
  if (ageMs > config.retention.rowsMs) return { kind: "remove", files };
  if (ageMs <= config.retention.payloadMs || first.table !== "predictions") return undefined;
  const full = files.filter(({ isWithoutPayload }) => !isWithoutPayload);
  return full.length === 0
    ? undefined
    : { kind: "drop_payload", files: full.slice(0, REWRITE_FILES_MAX) };
}

function compactJob(
  files: readonly TableFile[],
  { wallMs, config }: HousekeepingFacts,
): HousekeepingJob | undefined {
  const [first] = files;
  if (first === undefined) return undefined;
  const isClosed = wallMs > partitionEndMs(first) + config.rollMs + CLOSED_AFTER_MS;
  const bytesMax = isClosed ? COMPACTED_BYTES_MAX : SMALL_BYTES_MAX;
  const filesMax = isClosed ? 1 : SMALL_FILES_MAX;
  // Rows with and without inputs stay apart: their file says which they are.
  for (const isWithoutPayload of [false, true]) {
    const few = files.filter(
      (file) => file.isWithoutPayload === isWithoutPayload && file.byteLength < bytesMax,
    );
    const together = upTo(few, COMPACTED_BYTES_MAX);
    if (few.length > filesMax && together.length > 1) return { kind: "compact", files: together };
  }
  return undefined;
}

/** The first of them that are not more than so many bytes together. */
function upTo(files: readonly TableFile[], bytesMax: number): readonly TableFile[] {
  const smallestFirst = files.toSorted((a, b) => a.byteLength - b.byteLength);
  const chosen: TableFile[] = [];
  let bytes = 0;
  for (const file of smallestFirst.slice(0, REWRITE_FILES_MAX)) {
    bytes += file.byteLength;
    if (bytes > bytesMax) break;
    chosen.push(file);
  }
  return chosen;
}

/** When the last row of its folder can have come, milliseconds since 1970-01-01 UTC. */
export function partitionEndMs({ date, hour }: Pick<TableFile, "date" | "hour">): number {
  const dayMs = Date.parse(`${date}T00:00:00Z`);
  return hour === undefined ? dayMs + DAY_MS : dayMs + (hour + 1) * HOUR_MS;
}
