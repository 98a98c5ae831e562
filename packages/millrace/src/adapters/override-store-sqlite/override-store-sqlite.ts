import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import type { JsonValue } from "../../core/json.ts";
import { inTransaction } from "../../disk/in-transaction.ts";
import {
  HISTORY_BYTES_MAX,
  HISTORY_EVENTS_MAX,
  type HistoryQuery,
  type OverrideAction,
  type OverrideChange,
  type OverrideEvent,
  type OverrideState,
  type OverrideStore,
  type StoredOverride,
} from "../../ports/override-store.ts";

type Row = Readonly<Record<string, SQLOutputValue>>;

/** Longest wait for another process that writes the file. */
const BUSY_MS_MAX = 2_000;

/** Values are JSON; times are milliseconds since 1970. */
const TABLES = `
  create table if not exists override_version (
    id integer primary key check (id = 1),
    version integer not null
  ) strict;
  insert or ignore into override_version (id, version) values (1, 0);
  create table if not exists overrides (
    path text primary key,
    value text not null,
    version integer not null,
    by text not null,
    reason text not null,
    set_at_ms integer not null,
    expires_at_ms integer
  ) strict;
  create table if not exists override_history (
    id integer primary key autoincrement,
    version integer not null,
    path text not null,
    action text not null,
    old text,
    value text,
    at_ms integer not null,
    by text not null,
    reason text not null,
    expires_at_ms integer
  ) strict;
  create index if not exists override_history_path on override_history (path, id);
`;

const FORGET_BEYOND_BYTES = `
  delete from override_history where id <= (
    select max(id) from (
      select id, sum(coalesce(octet_length(old), 0) + coalesce(octet_length(value), 0)) over (order by id desc) as bytes
      from override_history
    ) where bytes > ?
  )
`;

/** Overrides in a file: a change that was answered survives the end of the process and of the machine. */
export class SqliteOverrideStore implements OverrideStore {
  readonly #db: DatabaseSync;

  /** @param path file; it and its folder are created. @throws when it is no database or cannot be written. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#db = new DatabaseSync(path, { timeout: BUSY_MS_MAX });
    try {
      // Changes are rare: each is on the disk before it is answered.
      this.#db.exec("pragma journal_mode = wal; pragma synchronous = full;");
      inTransaction(this.#db, () => this.#db.exec(TABLES));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  read(): Promise<OverrideState> {
    return Promise.resolve(this.#state());
  }

  async commit(change: OverrideChange, versionBefore: number): Promise<OverrideState | undefined> {
    const write = (): OverrideState | undefined => {
      // The condition is in the statement, so that of two writers only one finds the version it knows.
      const raise = this.#db.prepare(
        "update override_version set version = version + 1 where version = ?",
      );
      if (raise.run(versionBefore).changes === 0) return undefined;
      this.#take(change, versionBefore + 1);
      this.#forgetOldest();
      return this.#state();
    };
    return inTransaction(this.#db, write);
  }

  history({ path, limit }: HistoryQuery): Promise<readonly OverrideEvent[]> {
    const rows = this.#db
      .prepare(
        "select * from override_history where ? is null or path = ? order by id desc limit ?",
      )
      .all(path ?? null, path ?? null, limit);
    return Promise.resolve(rows.map(eventOf));
  }

  close(): Promise<void> {
    this.#db.close();
    return Promise.resolve();
  }

  #state(): OverrideState {
    const version = this.#db.prepare("select version from override_version").get()?.["version"];
    const rows = this.#db.prepare("select * from overrides order by path").all();
    return { version: Number(version), overrides: rows.map(overrideOf) };
  }

  #take({ atMs, by, reason, expiresAtMs, steps }: OverrideChange, version: number): void {
    const set = this.#db.prepare("insert or replace into overrides values (?, ?, ?, ?, ?, ?, ?)");
    const remove = this.#db.prepare("delete from overrides where path = ?");
    const log = this.#db.prepare(
      "insert into override_history (version, path, action, old, value, at_ms, by, reason, expires_at_ms) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    for (const { path, action, old, value } of steps) {
      const text = textOf(value);
      if (action === "set")
        set.run(path, text ?? "null", version, by, reason, atMs, expiresAtMs ?? null);
      else remove.run(path);
      log.run(version, path, action, textOf(old), text, atMs, by, reason, expiresAtMs ?? null);
    }
  }

  #forgetOldest(): void {
    this.#db
      .prepare(
        "delete from override_history where id <= (select max(id) from override_history) - ?",
      )
      .run(HISTORY_EVENTS_MAX);
    this.#db.prepare(FORGET_BEYOND_BYTES).run(HISTORY_BYTES_MAX);
  }
}

function overrideOf(row: Row): StoredOverride {
  return {
    path: String(row["path"]),
    value: valueOf(row["value"]) ?? null,
    version: Number(row["version"]),
    by: String(row["by"]),
    reason: String(row["reason"]),
    setAtMs: Number(row["set_at_ms"]),
    expiresAtMs: msOf(row["expires_at_ms"]),
  };
}

function eventOf(row: Row): OverrideEvent {
  return {
    version: Number(row["version"]),
    path: String(row["path"]),
    action: String(row["action"]) as OverrideAction,
    old: valueOf(row["old"]),
    value: valueOf(row["value"]),
    atMs: Number(row["at_ms"]),
    by: String(row["by"]),
    reason: String(row["reason"]),
    expiresAtMs: msOf(row["expires_at_ms"]),
  };
}

function textOf(value: JsonValue | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function valueOf(text: SQLOutputValue | undefined): JsonValue | undefined {
  return typeof text === "string" ? (JSON.parse(text) as JsonValue) : undefined;
}

function msOf(value: SQLOutputValue | undefined): number | undefined {
  return typeof value === "number" ? value : undefined;
}
