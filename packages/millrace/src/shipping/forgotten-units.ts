import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { MillraceError } from "../core/errors.ts";
import { FORGOTTEN_FILE } from "../core/predictions/log-folder.ts";
import { requestOf } from "../core/predictions/prediction-key.ts";
import { segmentFileName, type SegmentId } from "../core/predictions/segment-name.ts";
import { writeFileSynced } from "../disk/synced-files.ts";

/** A unit whose rows are left out of what is still in segments. */
export interface ForgottenUnit {
  readonly unitHash: string;
  /** When it was forgotten, microseconds since 1970-01-01 UTC; what came later is new. */
  readonly untilUs: number;
  /**
   * Those that may have rows of it, as `<writer>/<table>-<number>.segment`: what was there then, and what came soon after.
   * As long as one is, the unit is noted here.
   */
  readonly segments: readonly string[];
  /** Its predictions that feedback in segments names, without `#row`: such rows do not say whose they are. */
  readonly predictionIds: readonly string[];
}

/** What is known of a unit when it is forgotten. */
export type UnitToForget = Omit<ForgottenUnit, "segments">;

/** Units noted at once; each is two segments' worth of waiting at most. */
const UNITS_MAX = 10_000;

/** Predictions noted at once, of all units: whoever asks the log reads them each time. */
export const NOTED_PREDICTIONS_MAX = 50_000;

/** Time from the arrival of a request to its row in a segment, at most: it is predicted, and waits in memory. */
const UNWRITTEN_MS_MAX = 5 * 60_000;

/** What `forgotten.json` says, for whoever reads segments: rows that were to be forgotten before they were shipped. */
export class ForgottenUnits {
  readonly #path: string;
  #units: readonly ForgottenUnit[];
  #untilUs = new Map<string, number>();
  #predictionUntilUs = new Map<string, number>();

  private constructor(path: string, units: readonly ForgottenUnit[]) {
    this.#path = path;
    this.#units = [];
    this.#become(units);
  }

  /** @throws when the file is damaged: without it rows would come back that were to be forgotten. */
  static async open(logFolder: string): Promise<ForgottenUnits> {
    const path = join(logFolder, FORGOTTEN_FILE);
    return new ForgottenUnits(path, await readForgotten(path));
  }

  get isAny(): boolean {
    return this.#units.length > 0;
  }

  /** @param tsUs when the row came. */
  has(unitHash: string, tsUs: number): boolean {
    const untilUs = this.#untilUs.get(unitHash);
    return untilUs !== undefined && tsUs <= untilUs;
  }

  /** @param predictionId with or without `#row`. @param tsUs when the feedback that names it came. */
  hasPrediction(predictionId: string, tsUs: number): boolean {
    if (this.#predictionUntilUs.size === 0) return false;
    const untilUs = this.#predictionUntilUs.get(requestOf(predictionId));
    return untilUs !== undefined && tsUs <= untilUs;
  }

  /**
   * Knows a unit while something is done, without noting it: whoever is killed then has not forgotten it.
   * @throws what `add` would, before it is done.
   */
  async during<Result>(unit: UnitToForget, run: () => Promise<Result>): Promise<Result> {
    this.#index(this.#with({ ...unit, segments: [] }));
    try {
      return await run();
    } finally {
      this.#index(this.#units);
    }
  }

  /** On the disk when it resolves. @throws LOG_UNAVAILABLE when there are too many. */
  async add(unit: UnitToForget, segments: readonly SegmentId[]): Promise<void> {
    await this.#save(this.#with({ ...unit, segments: segments.map(nameOf) }));
  }

  /** What was noted of its predictions stays: their rows may be gone, and feedback that names them still there. */
  #with(unit: ForgottenUnit): readonly ForgottenUnit[] {
    const others = this.#units.filter(({ unitHash }) => unitHash !== unit.unitHash);
    if (others.length >= UNITS_MAX) {
      throw unavailable(`${others.length} units wait to be, limit is ${UNITS_MAX}`);
    }
    const before = this.#units.find(({ unitHash }) => unitHash === unit.unitHash);
    const ids = new Set([...(before?.predictionIds ?? []), ...unit.predictionIds]);
    const all = others.reduce((sum, { predictionIds }) => sum + predictionIds.length, ids.size);
    if (all > NOTED_PREDICTIONS_MAX) {
      throw unavailable(
        `feedback in no file yet names ${all} predictions that are to be, limit is ${NOTED_PREDICTIONS_MAX}; ask again when it is shipped`,
      );
    }
    return [...others, { ...unit, predictionIds: [...ids] }];
  }

  /** Drops the notes of units whose segments are all gone. @param nowUs microseconds since 1970-01-01 UTC. */
  async keepFor(segments: readonly SegmentId[], nowUs: number): Promise<void> {
    if (!this.isAny) return;
    const names = segments.map(nameOf);
    const there = new Set(names);
    const kept = this.#units.flatMap((unit) => {
      const isRecent = nowUs - unit.untilUs < UNWRITTEN_MS_MAX * 1_000;
      if (isRecent) return { ...unit, segments: names };
      return unit.segments.some((name) => there.has(name)) ? unit : [];
    });
    if (!isDeepStrictEqual(kept, this.#units)) await this.#save(kept);
  }

  async #save(units: readonly ForgottenUnit[]): Promise<void> {
    await writeFileSynced(this.#path, JSON.stringify({ units }));
    this.#become(units);
  }

  #become(units: readonly ForgottenUnit[]): void {
    this.#units = units;
    this.#index(units);
  }

  #index(units: readonly ForgottenUnit[]): void {
    this.#untilUs = new Map(units.map(({ unitHash, untilUs }) => [unitHash, untilUs]));
    this.#predictionUntilUs = new Map(
      units.flatMap(({ predictionIds, untilUs }) =>
        predictionIds.map((id): readonly [string, number] => [id, untilUs]),
      ),
    );
  }
}

function unavailable(why: string): MillraceError {
  return new MillraceError("LOG_UNAVAILABLE", `Cannot forget: ${why}`);
}

function nameOf(id: SegmentId): string {
  return `${id.writer}/${segmentFileName(id)}`;
}

async function readForgotten(path: string): Promise<readonly ForgottenUnit[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const units = parseUnits(text);
  if (units !== undefined) return units;
  throw new Error(
    `Cannot ship the prediction log: "${path}" is damaged, it says which units are to be forgotten`,
  );
}

function parseUnits(text: string): readonly ForgottenUnit[] | undefined {
  try {
    const { units } = JSON.parse(text) as { readonly units?: readonly Partial<ForgottenUnit>[] };
    const isRight = units?.every(
      ({ unitHash, untilUs, segments, predictionIds = [] }) =>
        typeof unitHash === "string" &&
        typeof untilUs === "number" &&
        Array.isArray(segments) &&
        Array.isArray(predictionIds),
    );
    if (isRight !== true) return undefined;
    // Older versions noted no predictions.
    return units?.map((unit) => ({ predictionIds: [], ...unit }) as unknown as ForgottenUnit);
  } catch {
    return undefined;
  }
}
