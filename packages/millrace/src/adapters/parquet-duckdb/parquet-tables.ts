import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import { syncFile, syncFolder } from "../../disk/synced-files.ts";
import type { JsonValue } from "../../core/json.ts";
import { LOG_TABLES, type LogTable } from "../../core/predictions/log-block.ts";
import type {
  ForgetChange,
  HoldingFile,
  LogTables,
  RewriteChange,
  TableFile,
} from "../../ports/log-tables.ts";
import { findPrediction } from "./find-prediction.ts";
import { isForgottenSql, noteForgottenPredictions, predictionsAmong } from "./forgotten-sql.ts";
import { listTableFiles } from "./list-table-files.ts";
import type { DuckDb } from "./open-duckdb.ts";
import { keptRows } from "./rewrite-sql.ts";
import {
  readRewriteNotes,
  removeRewriteNote,
  writeRewriteNote,
  type RewriteNote,
} from "./rewrite-note.ts";
import { pathIn, rewrittenName } from "./table-path.ts";
import { copyTo, readFiles, readFilesNamed } from "./table-sql.ts";

/** Ends the name of a file that is not part of its table yet. */
const DRAFT = ".tmp";

export interface ParquetTablesOptions {
  /** The log's. */
  readonly folder: string;
  readonly duckDb: DuckDb;
}

/**
 * The Parquet files of the log. A rewrite is noted in `rewrites/` before its new file gets its name, which is the moment
 * from which on the new file counts and the old ones do not; readers go by the note until the old ones are deleted.
 */
export class ParquetTables implements LogTables {
  readonly #folder: string;
  readonly #duckDb: DuckDb;

  constructor({ folder, duckDb }: ParquetTablesOptions) {
    this.#folder = folder;
    this.#duckDb = duckDb;
  }

  async list(): Promise<readonly TableFile[]> {
    const files = await listTableFiles(this.#folder);
    const replaced = new Set<string>();
    for (const note of await readRewriteNotes(this.#folder)) {
      if (this.#isCommitted(note)) for (const path of note.remove) replaced.add(path);
    }
    return replaced.size === 0 ? files : files.filter(({ path }) => !replaced.has(path));
  }

  async rewrite(files: readonly TableFile[], change: RewriteChange): Promise<number> {
    const [first] = files;
    if (first === undefined) return 0;
    if (files.some(({ partition }) => partition !== first.partition)) {
      throw new Error("Cannot rewrite files: they are of several partitions");
    }
    await this.#finishNotes();
    const id = `${Date.now().toString(36)}-${randomUUID().slice(0, 8)}`;
    const isWithoutPayload = change.kind === "drop_payload" || first.isWithoutPayload;
    const path = pathIn(first.partition, rewrittenName(id, isWithoutPayload));
    const draft = join(this.#folder, path + DRAFT);
    try {
      const { rowCount, leftOutCount } = await this.#copy(files, change, draft);
      const add = rowCount === 0 ? [] : [path];
      if (rowCount === 0) await rm(draft); // or its folder would not be empty
      await this.#commit({ id, add, remove: files.map((file) => file.path) });
      return leftOutCount;
    } finally {
      await rm(draft, { force: true });
    }
  }

  async #copy(files: readonly TableFile[], change: RewriteChange, draft: string) {
    const rows = readFiles(files.map(({ path }) => join(this.#folder, path)));
    const table = (files[0] as TableFile).table;
    return this.#duckDb.with(async (connection) => {
      const counted = await connection.runAndReadAll(`select count(*)::integer from ${rows}`);
      const before = Number(counted.getRowsJson()[0]?.[0]);
      if (change.kind === "forget") await this.#note(connection, table, change);
      const { rowsChanged } = await connection.run(copyTo(keptRows(table, rows, change), draft));
      await syncFile(draft);
      return { rowCount: rowsChanged, leftOutCount: before - rowsChanged };
    });
  }

  async #commit(note: RewriteNote): Promise<void> {
    await writeRewriteNote(this.#folder, note);
    for (const path of note.add) {
      const full = join(this.#folder, path);
      await rename(full + DRAFT, full);
      await syncFolder(dirname(full));
    }
    await this.#finish(note);
  }

  async #finish({ id, remove }: RewriteNote): Promise<void> {
    await this.#delete(remove);
    await removeRewriteNote(this.#folder, id);
  }

  async remove(files: readonly TableFile[]): Promise<void> {
    await this.#delete(files.map(({ path }) => path));
  }

  /** With the folders that are empty then. */
  async #delete(paths: readonly string[]): Promise<void> {
    for (const path of paths) await rm(join(this.#folder, path), { force: true });
    for (const folder of new Set(paths.map((path) => dirname(path)))) {
      if (existsSync(join(this.#folder, folder))) await syncFolder(join(this.#folder, folder));
      await this.#removeEmpty(folder);
    }
  }

  async #removeEmpty(folder: string): Promise<void> {
    for (let path = folder; path.includes("/"); path = dirname(path)) {
      try {
        await rmdir(join(this.#folder, path));
      } catch {
        return; // it is not empty, or somebody else was faster
      }
    }
  }

  async recover(): Promise<void> {
    await this.#finishNotes();
    for (const table of LOG_TABLES) await this.#removeDrafts(table);
  }

  /** A file that could not be deleted when others replaced it must not be taken for one of the table again. */
  async #finishNotes(): Promise<void> {
    for (const note of await readRewriteNotes(this.#folder)) {
      if (this.#isCommitted(note)) await this.#finish(note);
      else await removeRewriteNote(this.#folder, note.id);
    }
  }

  #isCommitted({ add }: RewriteNote): boolean {
    return add.every((path) => existsSync(join(this.#folder, path)));
  }

  async #removeDrafts(table: string): Promise<void> {
    const folder = join(this.#folder, table);
    if (!existsSync(folder)) return;
    for (const name of await readdir(folder, { recursive: true })) {
      if (name.endsWith(`.parquet${DRAFT}`)) await rm(join(folder, name), { force: true });
    }
  }

  async holding(table: LogTable, change: ForgetChange): Promise<readonly HoldingFile[]> {
    await this.#finishNotes();
    const files = (await this.list()).filter((file) => file.table === table);
    if (files.length === 0 || change.unitHashes.length === 0) return [];
    const byPath = new Map(files.map((file) => [join(this.#folder, file.path), file]));
    const rows = readFilesNamed([...byPath.keys()]);
    const sql = `select filename, count(*)::integer from ${rows} where ${isForgottenSql(table, change)} group by filename`;
    return this.#duckDb.with(async (connection) => {
      await this.#note(connection, table, change);
      const read = await connection.runAndReadAll(sql);
      return read.getRowsJson().flatMap(([path, count]) => {
        const file = byPath.get(path as string);
        return file === undefined ? [] : { file, rowCount: Number(count) };
      });
    });
  }

  async #note(connection: DuckDBConnection, table: LogTable, change: ForgetChange): Promise<void> {
    if (table !== "feedback") return;
    await noteForgottenPredictions(connection, change, await this.#predictionFiles());
  }

  async predictionsOf(
    unitHash: string,
    predictionIds: readonly string[],
  ): Promise<readonly string[]> {
    const files = await this.#predictionFiles();
    if (files.length === 0 || predictionIds.length === 0) return [];
    return this.#duckDb.with((connection) =>
      predictionsAmong(connection, [unitHash], predictionIds, files),
    );
  }

  /** Their whole paths. */
  async #predictionFiles(): Promise<readonly string[]> {
    const files = (await this.list()).filter(({ table }) => table === "predictions");
    return files.map(({ path }) => join(this.#folder, path));
  }

  find(predictionId: string): Promise<readonly JsonValue[] | undefined> {
    return findPrediction(this.#folder, this.#duckDb, predictionId);
  }

  close(): Promise<void> {
    return this.#duckDb.close();
  }
}
