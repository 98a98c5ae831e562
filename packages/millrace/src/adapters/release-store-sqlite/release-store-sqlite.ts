import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import type { JsonValue } from "../../core/json.ts";
import { inTransaction } from "../../disk/in-transaction.ts";
import type { ReleaseEvent } from "../../core/release/release-report.ts";
import {
  RELEASE_EVENTS_MAX,
  type ReleaseStore,
  type StoredRelease,
} from "../../ports/release-store.ts";

type Row = Readonly<Record<string, SQLOutputValue>>;

/** Longest wait for another process that writes the file. */
const BUSY_MS_MAX = 2_000;

/** States are JSON; times are milliseconds since 1970. */
const TABLES = `
  create table if not exists releases (
    key text primary key,
    version integer not null,
    state text not null
  ) strict;
  create table if not exists release_events (
    id integer primary key autoincrement,
    key text not null,
    at_ms integer not null,
    by text not null,
    what text not null,
    why text not null
  ) strict;
  create index if not exists release_events_key on release_events (key, id);
`;

const FORGET_OLDEST = `
  delete from release_events where key = ? and id <= (
    select id from release_events where key = ? order by id desc limit 1 offset ?
  )
`;

/** Releases in a file, beside the overrides they make: what was answered survives the end of the process and of the machine. */
export class SqliteReleaseStore implements ReleaseStore {
  readonly #db: DatabaseSync;

  /** @param path file; it and its folder are created. @throws when it is no database or cannot be written. */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#db = new DatabaseSync(path, { timeout: BUSY_MS_MAX });
    try {
      this.#db.exec("pragma journal_mode = wal; pragma synchronous = full;");
      inTransaction(this.#db, () => this.#db.exec(TABLES));
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  read(key: string): Promise<StoredRelease | undefined> {
    const row = this.#db.prepare("select * from releases where key = ?").get(key);
    return Promise.resolve(row && releaseOf(row));
  }

  async write(
    { key, state }: Pick<StoredRelease, "key" | "state">,
    versionBefore: number,
    events: readonly ReleaseEvent[],
  ): Promise<StoredRelease | undefined> {
    const text = JSON.stringify(state);
    return inTransaction(this.#db, () => {
      if (!this.#raise(key, text, versionBefore)) return undefined;
      const log = this.#db.prepare(
        "insert into release_events (key, at_ms, by, what, why) values (?, ?, ?, ?, ?)",
      );
      for (const { atMs, by, what, why } of events) log.run(key, atMs, by, what, why);
      if (events.length > 0) {
        this.#db.prepare(FORGET_OLDEST).run(key, key, RELEASE_EVENTS_MAX);
      }
      return { key, version: versionBefore + 1, state };
    });
  }

  events(key: string, limit: number): Promise<readonly ReleaseEvent[]> {
    const rows = this.#db
      .prepare("select * from release_events where key = ? order by id desc limit ?")
      .all(key, limit);
    return Promise.resolve(rows.map(eventOf));
  }

  close(): Promise<void> {
    this.#db.close();
    return Promise.resolve();
  }

  /** The condition is in the statement, so that of two writers only one finds the version it knows. */
  #raise(key: string, state: string, versionBefore: number): boolean {
    const statement =
      versionBefore === 0
        ? "insert or ignore into releases (state, key, version) values (?, ?, ? + 1)"
        : "update releases set state = ?, version = version + 1 where key = ? and version = ?";
    return this.#db.prepare(statement).run(state, key, versionBefore).changes > 0;
  }
}

function releaseOf(row: Row): StoredRelease {
  return {
    key: String(row["key"]),
    version: Number(row["version"]),
    state: JSON.parse(String(row["state"])) as JsonValue,
  };
}

function eventOf(row: Row): ReleaseEvent {
  return {
    atMs: Number(row["at_ms"]),
    by: String(row["by"]),
    what: String(row["what"]),
    why: String(row["why"]),
  };
}
