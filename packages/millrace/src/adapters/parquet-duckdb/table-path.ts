import { posix } from "node:path";
import { LOG_TABLES } from "../../core/predictions/log-block.ts";
import { tableFolder } from "../../core/predictions/log-folder.ts";
import type { TableFile } from "../../ports/log-tables.ts";

/** Ends the name of a file whose rows have no inputs and predictions any more. */
const WITHOUT_PAYLOAD = "-np";
const EXTENSION = ".parquet";
const US_PER_MS = 1_000;
const FOLDER_OF_DATE = /^dt=(\d{4}-\d{2}-\d{2})$/;
const FOLDER_OF_HOUR = /^hour=(\d{2})$/;

/** Folder of the rows of predictions: `predictions/dt=2026-11-21/hour=16/model=iris`. */
export function predictionPartition(tsUs: number, model: string): string {
  const text = isoOf(tsUs);
  // Names of models need no escaping; a name that came another way must not become a path.
  const folder = encodeURIComponent(model).replaceAll("*", "%2A");
  const name = folder === "" || /^\.+$/.test(folder) ? "unknown" : folder;
  return `${tableFolder("predictions")}/dt=${text.slice(0, 10)}/hour=${text.slice(11, 13)}/model=${name}`;
}

/**
 * Folder of the rows of feedback: `feedback/dt=2026-11-21`. By the time they came, which is ours: senders may name any
 * time, and each would be a folder.
 */
export function feedbackPartition(receivedUs: number): string {
  return `${tableFolder("feedback")}/dt=${isoOf(receivedUs).slice(0, 10)}`;
}

/** Folder of the rows of exposures: `exposures/dt=2026-11-21`. */
export function exposurePartition(tsUs: number): string {
  return `${tableFolder("exposures")}/dt=${isoOf(tsUs).slice(0, 10)}`;
}

/** Beyond what a date can be it is the first one. */
function isoOf(tsUs: number): string {
  const date = new Date(Math.floor(tsUs / US_PER_MS));
  const isInRange = date.getTime() >= 0 && date.getTime() < Date.UTC(10_000, 0);
  return (isInRange ? date : new Date(0)).toISOString();
}

/** The folders in which rows of a time may lie: `dt=2026-11-21/hour=16`, the hours before and after it included. */
export function hourFoldersAround(wallMs: number): readonly string[] {
  return [-1, 0, 1].map((hours) => {
    const text = isoOf((wallMs + hours * 3_600_000) * US_PER_MS);
    return `dt=${text.slice(0, 10)}/hour=${text.slice(11, 13)}`;
  });
}

/** @param path relative to the log's folder. @returns undefined for what is no file of a table. */
export function tableFileAt(path: string, byteLength: number): TableFile | undefined {
  if (!path.endsWith(EXTENSION)) return undefined;
  const [folder, dateFolder = "", hourFolder = ""] = path.split("/");
  const table = LOG_TABLES.find((name) => tableFolder(name) === folder);
  const date = FOLDER_OF_DATE.exec(dateFolder)?.[1];
  if (table === undefined || date === undefined) return undefined;
  const hour = FOLDER_OF_HOUR.exec(hourFolder)?.[1];
  return {
    path,
    table,
    partition: posix.dirname(path),
    date,
    hour: hour === undefined ? undefined : Number(hour),
    isWithoutPayload: nameOf(path).endsWith(WITHOUT_PAYLOAD),
    byteLength,
  };
}

/** Value of the folder `model=…`; undefined where there is none. */
export function modelOf(partition: string): string | undefined {
  const folder = posix.basename(partition);
  return folder.startsWith("model=") ? decodeURIComponent(folder.slice(6)) : undefined;
}

/** `p0-01992f3c7a5e-00000012` */
export function nameOf(path: string): string {
  return posix.basename(path, EXTENSION);
}

export function pathIn(partition: string, name: string): string {
  return `${partition}/${name}${EXTENSION}`;
}

/** Name of a file made of others, unlike that of any segment. */
export function rewrittenName(id: string, isWithoutPayload: boolean): string {
  return `r-${id}${isWithoutPayload ? WITHOUT_PAYLOAD : ""}`;
}
