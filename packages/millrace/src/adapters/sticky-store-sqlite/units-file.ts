import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { inTransaction } from "../../disk/in-transaction.ts";
import type { ExperimentKey, StickyArm } from "../../ports/sticky-store.ts";

/** An arm that is to be kept. */
export interface UnitChange {
  readonly experiment: ExperimentKey;
  /** 32 hexadecimal digits. */
  readonly unitHash: string;
  readonly arm: StickyArm;
  /** Does it take the place of one that is there? */
  readonly isReplacing: boolean;
}

export interface WrittenUnits {
  /** Those of which another process had kept an arm before. */
  readonly later: readonly UnitChange[];
  /** Number of those that were one too many. */
  readonly refusedCount: number;
}

/** Most units of all experiments in a file, some 700 MB. */
const UNITS_MAX = 10_000_000;

/** Length of a hash. */
const UNIT_BYTES = 16;

/** Longest wait for another process while the file is opened. */
const OPEN_BUSY_MS = 200;

/** SQLite does not wait by itself where two processes make the same file at the same moment. */
const OPEN_AGAIN_MS = 5;

/**
 * Pages of the log after which a writer carries them into the file itself, which waits for the disk: 64 MiB. Whoever has
 * a `UnitsCheckpointer` never gets there.
 */
const CHECKPOINT_PAGES = 16_384;

const TABLES = `
  create table if not exists units (
    unit blob not null,
    experiment text not null,
    arm text not null,
    phase integer not null,
    propensity real not null,
    primary key (unit, experiment)
  ) strict, without rowid;
  create table if not exists totals (
    id integer primary key check (id = 1),
    units integer not null,
    forgets integer not null
  ) strict;
  insert or ignore into totals (id, units, forgets) values (1, 0, 0);
`;

const FIND = "select arm, phase, propensity from units where unit = ? and experiment = ?";
const ADD =
  "insert or ignore into units (unit, experiment, arm, phase, propensity) values (?, ?, ?, ?, ?)";
const REPLACE =
  "update units set arm = ?, phase = ?, propensity = ? where unit = ? and experiment = ?";

/** The SQL of one connection to a file of units. Everything throws what SQLite throws, and nothing waits for a disk. */
export class UnitsFile {
  readonly #path: string;
  readonly #unitsMax: number;
  readonly #db: DatabaseSync;
  readonly #inode: number;
  readonly #find: StatementSync;
  readonly #add: StatementSync;
  readonly #replace: StatementSync;
  readonly #forgets: StatementSync;
  /** Of the unit that is asked for; SQLite copies it. */
  readonly #unit = new Uint8Array(UNIT_BYTES);
  readonly #unitBuffer = Buffer.from(this.#unit.buffer);
  #busyMs = OPEN_BUSY_MS;

  /** @param path file; it and its folder are created. */
  constructor(path: string, unitsMax = UNITS_MAX) {
    mkdirSync(dirname(path), { recursive: true });
    this.#path = path;
    this.#unitsMax = unitsMax;
    this.#db = new DatabaseSync(path, { timeout: OPEN_BUSY_MS });
    try {
      // A power failure may cost the last changes and never the file: it is the way between speed and safety here.
      whileBusy(() => this.#db.exec("pragma journal_mode = wal; pragma synchronous = normal;"));
      this.#db.exec(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES};`);
      // Who is forgotten is not to be found in what the file no longer uses.
      this.#db.exec("pragma secure_delete = on;");
      whileBusy(() => inTransaction(this.#db, () => this.#db.exec(TABLES)));
      this.#find = this.#db.prepare(FIND);
      this.#add = this.#db.prepare(ADD);
      this.#replace = this.#db.prepare(REPLACE);
      this.#forgets = this.#db.prepare("select forgets from totals");
      this.#inode = statSync(path).ino;
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  find(experiment: ExperimentKey, unitHash: string): StickyArm | undefined {
    const row = this.#find.get(this.#bytesOf(unitHash), experiment);
    if (row === undefined) return undefined;
    const { arm, phase, propensity } = row;
    return { arm: String(arm), phase: Number(phase), propensity: Number(propensity) };
  }

  /**
   * Writes all of them or, when another process writes, none.
   * @param busyMs longest wait for the other process, which holds up this one.
   * @returns "busy" when the other process goes on writing.
   */
  write(changes: Iterable<UnitChange>, busyMs: number): WrittenUnits | "busy" {
    this.#waitAtMost(busyMs);
    return this.#unlessBusy(() => this.#writeAll(changes));
  }

  /** @returns "busy" when another process writes. */
  forget(unitHash: string): "done" | "busy" {
    this.#waitAtMost(0);
    return this.#unlessBusy(() => {
      const remove = this.#db.prepare("delete from units where unit = ?");
      const { changes } = remove.run(this.#bytesOf(unitHash));
      this.#count(-Number(changes), 1);
      return "done";
    });
  }

  /** How often something was forgotten by anybody. */
  forgetCount(): number {
    return Number(this.#forgets.get()?.["forgets"]);
  }

  /** Is the file at its path another one by now, or none? What is written goes nowhere then. */
  wasRemoved(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino !== this.#inode;
  }

  close(): void {
    this.#db.close();
  }

  #writeAll(changes: Iterable<UnitChange>): WrittenUnits {
    const later: UnitChange[] = [];
    let refusedCount = 0;
    let count = Number(this.#db.prepare("select units from totals").get()?.["units"]);
    const countBefore = count;
    for (const change of changes) {
      if (change.isReplacing && this.#runReplace(change) > 0) continue;
      if (count >= this.#unitsMax) refusedCount++;
      else if (this.#runAdd(change) > 0) count++;
      else later.push(change);
    }
    if (count > countBefore) this.#count(count - countBefore, 0);
    return { later, refusedCount };
  }

  #runAdd({ experiment, unitHash, arm }: UnitChange): number {
    const unit = this.#bytesOf(unitHash);
    return Number(this.#add.run(unit, experiment, arm.arm, arm.phase, arm.propensity).changes);
  }

  #runReplace({ experiment, unitHash, arm }: UnitChange): number {
    const unit = this.#bytesOf(unitHash);
    return Number(this.#replace.run(arm.arm, arm.phase, arm.propensity, unit, experiment).changes);
  }

  #count(units: number, forgets: number): void {
    this.#db
      .prepare("update totals set units = units + ?, forgets = forgets + ?")
      .run(units, forgets);
  }

  #bytesOf(unitHash: string): Uint8Array {
    const length = this.#unitBuffer.write(unitHash, "hex");
    if (length < UNIT_BYTES) throw new Error(`Cannot keep a unit: "${unitHash}" is no hash of one`);
    return this.#unit;
  }

  #waitAtMost(busyMs: number): void {
    if (busyMs === this.#busyMs) return;
    this.#db.exec(`pragma busy_timeout = ${busyMs}`);
    this.#busyMs = busyMs;
  }

  #unlessBusy<Result>(work: () => Result): Result | "busy" {
    try {
      return inTransaction(this.#db, work);
    } catch (error) {
      if (isBusy(error)) return "busy";
      throw error;
    }
  }
}

/** Tries until no other process holds the file. @throws what SQLite throws, also when that takes too long. */
function whileBusy(work: () => void): void {
  const untilMs = performance.now() + OPEN_BUSY_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > untilMs) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_AGAIN_MS);
    }
  }
}

/** Primary result code of SQLite; what it throws has a reason in the higher bits. */
const SQLITE_BUSY = 5;

/** Does another process hold the file? */
function isBusy(error: unknown): boolean {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return false;
  return (Number(error.errcode) & 0xff) === SQLITE_BUSY;
}
