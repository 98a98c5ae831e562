import type { DuckDBConnection } from "@duckdb/node-api";
import { rm } from "node:fs/promises";
import { join, posix } from "node:path";
import type { LogTable } from "../../core/predictions/log-block.ts";
import { PAYLOADS_FOLDER } from "../../core/predictions/log-folder.ts";
import type { RewriteChange } from "../../ports/log-tables.ts";
import { quoted } from "./open-duckdb.ts";

/** Where the payloads lie that rows lose by a rewrite. @param rows what `from` takes. */
export async function payloadsOf(
  connection: DuckDBConnection,
  table: LogTable,
  rows: string,
  change: RewriteChange,
): Promise<readonly string[]> {
  if (table !== "predictions" || change.kind === "compact") return [];
  const which =
    change.kind === "forget"
      ? `and unit_hash in (${change.unitHashes.map(quoted).join(", ")})`
      : "";
  const read = await connection.runAndReadAll(
    `select distinct payload_ref from ${rows} where payload_ref is not null ${which}`,
  );
  return read.getRowsJson().map(([path]) => path as string);
}

/** @param paths relative to the log's folder; what is no payload there is left alone. */
export async function removePayloads(logFolder: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const inside = posix.normalize(path);
    if (!inside.startsWith(`${PAYLOADS_FOLDER}/`)) continue;
    await rm(join(logFolder, inside), { force: true });
  }
}
