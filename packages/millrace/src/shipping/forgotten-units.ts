import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { FORGOTTEN_FILE } from "../core/predictions/log-folder.ts";
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
}

/** Units noted at once; each is two segments' worth of waiting at most. */
const UNITS_MAX = 10_000;

/** Time from the arrival of a request to its row in a segment, at most: it is predicted, and waits in memory. */
const UNWRITTEN_MS_MAX = 5 * 60_000;

/** What `forgotten.json` says, for whoever reads segments: rows that were to be forgotten before they were shipped. */
export class ForgottenUnits {
  readonly #path: string;
  #units: readonly ForgottenUnit[];
  #untilUs = new Map<string, number>();

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

  /** On the disk when it resolves. */
  async add(unitHash: string, untilUs: number, segments: readonly SegmentId[]): Promise<void> {
    const others = this.#units.filter((unit) => unit.unitHash !== unitHash);
    if (others.length >= UNITS_MAX) {
      throw new Error(`Cannot forget: ${others.length} units wait to be, limit is ${UNITS_MAX}`);
    }
    const unit = { unitHash, untilUs, segments: segments.map(nameOf) };
    await this.#save([...others, unit]);
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
    this.#untilUs = new Map(units.map(({ unitHash, untilUs }) => [unitHash, untilUs]));
  }
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
      ({ unitHash, untilUs, segments }) =>
        typeof unitHash === "string" && typeof untilUs === "number" && Array.isArray(segments),
    );
    return isRight === true ? (units as readonly ForgottenUnit[]) : undefined;
  } catch {
    return undefined;
  }
}
