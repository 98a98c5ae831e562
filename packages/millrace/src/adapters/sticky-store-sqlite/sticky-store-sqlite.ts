import type { Clock } from "../../core/clock.ts";
import type {
  ExperimentKey,
  StickyArm,
  StickyStore,
  StickyTrouble,
} from "../../ports/sticky-store.ts";
import { RememberedUnits } from "./remembered-units.ts";
import { untilWritten } from "./until-written.ts";
import { UnitsFile, type UnitChange, type WrittenUnits } from "./units-file.ts";

export interface SqliteStickyStoreOptions {
  /** File of all processes; it and its folder are created. */
  readonly path: string;
  readonly clock: Clock;
  readonly onTrouble: (trouble: StickyTrouble) => void;
  /** Most units of all experiments in the file, default 10,000,000. */
  readonly unitsMax?: number;
}

/** Time after which what was added is written. */
const FLUSH_MS = 100;

/** Changes of one transaction: it takes a millisecond or two, for which the requests of this process wait. */
const BATCH_MAX = 100;

/** Most changes that wait to be written. */
const BACKLOG_MAX = 50_000;

/** How often this looks whether the file is still there and whether somebody was forgotten. */
const LOOK_MS = 1_000;

/** Wait for the next batch, or for another process that writes. */
const NEXT_MS = 10;

/** Wait after a failure, doubled with each attempt that fails, and when it fails again soon after it has worked. */
const REPAIR_MS_MIN = 500;
const REPAIR_MS_MAX = 30_000;

/** Longest wait for another process while a unit is added in write-through, which holds up this process. */
const THROUGH_BUSY_MS = 5;

/** How long write-through goes on after its end. */
const THROUGH_TAIL_MS = 1_000;

/**
 * Arms in a file that all processes share. What is added is written in batches, never while a request waits for it; what
 * was asked for last is remembered. What fails is tried again, ever more patiently; until then it goes on with what it
 * remembers.
 */
export class SqliteStickyStore implements StickyStore {
  readonly #options: SqliteStickyStoreOptions;
  readonly #clock: Clock;
  readonly #known = new RememberedUnits();
  /** To be written, the oldest first, by unit and experiment. */
  readonly #backlog = new Map<string, UnitChange>();
  /** Undefined while it cannot be opened. */
  #file: UnitsFile | undefined;
  #forgetCount = 0;
  /** Changes under way for which it writes through. */
  #throughCount = 0;
  #throughUntilMs = -Infinity;
  #lookAtMs = 0;
  #cancelTimer: (() => void) | undefined;
  #repairMs = REPAIR_MS_MIN;
  #isFailing = false;
  /** Since when it works again. */
  #worksSinceMs = -Infinity;
  #isClosed = false;

  /** Never throws: a file that cannot be opened is trouble like any other. */
  constructor(options: SqliteStickyStoreOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#tryWork(() => this.#open());
  }

  find(experiment: ExperimentKey, unitHash: string): StickyArm | undefined {
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#lookAtMs) this.#look(nowMs);
    const known = this.#remembered(experiment, unitHash);
    if (known !== undefined || this.#known.isMissing(experiment, unitHash)) return known;
    return this.#read(experiment, unitHash);
  }

  add(experiment: ExperimentKey, unitHash: string, arm: StickyArm): boolean {
    const known = this.#remembered(experiment, unitHash);
    if (known !== undefined) return isSame(known, arm);
    return this.#keep({ experiment, unitHash, arm, isReplacing: false });
  }

  replace(experiment: ExperimentKey, unitHash: string, arm: StickyArm): void {
    this.#keep({ experiment, unitHash, arm, isReplacing: true });
  }

  async flush(): Promise<void> {
    // What is added meanwhile is no part of it, or it might never end.
    let left = this.#backlog.size;
    await untilWritten(this.#clock, () => {
      const written = this.#backlog.size === 0 ? left : this.#writeBatch(this.#fileOrThrow());
      left -= written;
      if (left <= 0) return "done";
      return written === 0 ? "busy" : "progress";
    });
  }

  async beginWriteThrough(): Promise<void> {
    this.#throughCount++;
    try {
      await this.flush();
    } catch (error) {
      this.#throughCount--;
      throw error;
    }
    // Other processes may have added and replaced some of them.
    this.#known.clear();
  }

  endWriteThrough(): void {
    if (this.#throughCount === 0) return;
    this.#throughCount--;
    this.#throughUntilMs = this.#clock.nowMs() + THROUGH_TAIL_MS;
  }

  async forget(unitHash: string): Promise<void> {
    await untilWritten(this.#clock, () => this.#fileOrThrow().forget(unitHash));
    this.#forgetHere(unitHash);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.flush();
    } catch (error) {
      this.#lose("backlog", this.#backlog.size);
      this.#fail(error);
    }
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#closeFile();
    this.#backlog.clear();
  }

  #remembered(experiment: ExperimentKey, unitHash: string): StickyArm | undefined {
    const known = this.#known.find(experiment, unitHash);
    if (known !== undefined || this.#backlog.size === 0) return known;
    return this.#backlog.get(keyOf({ experiment, unitHash }))?.arm;
  }

  #keep(change: UnitChange): boolean {
    if (this.#isClosed) return true;
    if (this.#isWriteThrough()) {
      const isKept = this.#writeThrough(change);
      if (isKept !== "busy") return isKept;
    }
    const key = keyOf(change);
    if (this.#backlog.size >= BACKLOG_MAX && !this.#backlog.has(key)) {
      this.#lose("backlog", 1);
      return true;
    }
    const arm = this.#known.set(change.experiment, change.unitHash, change.arm);
    this.#backlog.set(key, { ...change, arm });
    this.#flushSoon(FLUSH_MS);
    return true;
  }

  /** @returns is its arm the one that is kept now? "busy" when that is to be found out later. */
  #writeThrough(change: UnitChange): boolean | "busy" {
    const file = this.#file;
    if (file === undefined) return "busy";
    const written = this.#tryWork(() => file.write([change], THROUGH_BUSY_MS));
    if (written === undefined || written === "busy") return "busy";
    const { experiment, unitHash, arm } = change;
    this.#backlog.delete(keyOf(change));
    this.#known.delete(unitHash);
    this.#take(written);
    return written.later.length === 0 || isSame(this.find(experiment, unitHash), arm);
  }

  #isWriteThrough(): boolean {
    return this.#throughCount > 0 || this.#clock.nowMs() < this.#throughUntilMs;
  }

  #read(experiment: ExperimentKey, unitHash: string): StickyArm | undefined {
    const file = this.#file;
    if (file === undefined) return undefined;
    const found = this.#tryWork(() => file.find(experiment, unitHash) ?? "missing");
    if (found === undefined) return undefined;
    if (found !== "missing") return this.#known.set(experiment, unitHash, found);
    if (!this.#isWriteThrough()) this.#known.miss(experiment, unitHash);
    return undefined;
  }

  /** Once a second, while somebody asks. */
  #look(nowMs: number): void {
    this.#lookAtMs = nowMs + LOOK_MS;
    this.#known.age(nowMs);
    const file = this.#file;
    if (file !== undefined) this.#tryWork(() => this.#lookAt(file));
  }

  #lookAt(file: UnitsFile): void {
    if (file.wasRemoved()) {
      // Whoever removed it wants all to be forgotten.
      this.#closeFile();
      throw new Error(`Cannot keep units: "${this.#options.path}" is gone`);
    }
    const forgetCount = file.forgetCount();
    if (forgetCount !== this.#forgetCount) this.#known.clear();
    this.#forgetCount = forgetCount;
  }

  #flushSoon(delayMs: number): void {
    if (this.#isClosed) return;
    this.#cancelTimer ??= this.#clock.schedule(delayMs, () => this.#work());
  }

  /** What the timer does: one batch, the next of which comes soon. */
  #work(): void {
    this.#cancelTimer = undefined;
    if (this.#isFailing) this.#repairMs = Math.min(2 * this.#repairMs, REPAIR_MS_MAX);
    this.#tryWork(() => {
      const file = this.#fileOrThrow();
      if (this.#isFailing) file.forgetCount(); // there may be nothing to write that would show it
      if (this.#backlog.size > 0) this.#writeBatch(file);
      this.#works();
    });
    if (this.#backlog.size > 0) this.#flushSoon(this.#isFailing ? this.#repairMs : NEXT_MS);
  }

  /** @returns how many changes it wrote: none when another process writes. */
  #writeBatch(file: UnitsFile): number {
    const changes = firstOf(this.#backlog.values(), BATCH_MAX);
    const written = file.write(changes, 0);
    if (written === "busy") return 0;
    for (const change of changes) this.#backlog.delete(keyOf(change));
    this.#take(written);
    return changes.length;
  }

  #take({ later, refusedCount }: WrittenUnits): void {
    // The arm of the process that was first holds; it is read when it is asked for.
    for (const { unitHash } of later) this.#known.delete(unitHash);
    if (refusedCount > 0) this.#lose("full", refusedCount);
  }

  #forgetHere(unitHash: string): void {
    this.#known.delete(unitHash);
    for (const key of this.#backlog.keys()) if (key.startsWith(unitHash)) this.#backlog.delete(key);
  }

  #fileOrThrow(): UnitsFile {
    if (this.#isClosed) throw new Error("Cannot keep units: the store is closed");
    return this.#file ?? this.#open();
  }

  #open(): UnitsFile {
    const file = new UnitsFile(this.#options.path, this.#options.unitsMax);
    this.#file = file;
    this.#forgetCount = file.forgetCount();
    return file;
  }

  /** @returns undefined when it throws. */
  #tryWork<Result>(work: () => Result): Result | undefined {
    try {
      return work();
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #fail(error: unknown): void {
    if (!this.#isFailing) {
      this.#isFailing = true;
      const cause = error instanceof Error ? error : new Error(String(error));
      this.#options.onTrouble({ kind: "failed", error: cause });
      const hasWorked = this.#clock.nowMs() - this.#worksSinceMs > REPAIR_MS_MAX;
      if (hasWorked) this.#repairMs = REPAIR_MS_MIN;
    }
    this.#flushSoon(this.#repairMs);
  }

  #works(): void {
    if (!this.#isFailing) return;
    this.#isFailing = false;
    this.#worksSinceMs = this.#clock.nowMs();
    this.#options.onTrouble({ kind: "recovered" });
  }

  #closeFile(): void {
    const file = this.#file;
    this.#file = undefined;
    this.#known.clear();
    try {
      file?.close();
    } catch {
      // It is of no use any longer.
    }
  }

  #lose(reason: "backlog" | "full", count: number): void {
    if (count > 0) this.#options.onTrouble({ kind: "lost", reason, count });
  }
}

function keyOf({ unitHash, experiment }: Pick<UnitChange, "unitHash" | "experiment">): string {
  return unitHash + experiment;
}

function firstOf(changes: Iterable<UnitChange>, countMax: number): UnitChange[] {
  const first: UnitChange[] = [];
  for (const change of changes) {
    if (first.length === countMax) break;
    first.push(change);
  }
  return first;
}

function isSame(a: StickyArm | undefined, b: StickyArm): boolean {
  return a?.arm === b.arm && a.phase === b.phase;
}
