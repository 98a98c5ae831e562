import type { JsonValue } from "../core/json.ts";
import type { QueryEngine } from "../ports/query-engine.ts";
import { RowGroups } from "./group-rows.ts";
import { LOGGED_ROW_COLUMNS, readLoggedRow } from "./read-logged-row.ts";
import type { LoggedRequest, LoggedRow } from "./logged-request.ts";

export interface TrafficFilter {
  readonly service: string;
  /** Microseconds since 1970-01-01 UTC; inclusive. */
  readonly fromUs: number;
  /** Exclusive. */
  readonly untilUs: number;
  /** Also requests that failed. */
  readonly withErrors: boolean;
}

/** Requests of a kind, by why they can be replayed or not. */
export interface TrafficKind {
  readonly requests: number;
  /** Undefined for those that can. */
  readonly skipped: string | undefined;
}

/** Requests from `fromUs` on, in a part of the time. */
interface Slice {
  readonly fromUs: number;
  readonly untilUs: number;
}

/** Rows as they are selected. */
type Page = readonly (readonly JsonValue[])[];

interface FoundPage {
  readonly rows: Page;
  /** None follow. */
  readonly isLast: boolean;
}

/** Parts the time is cut into, so that a page is looked for in a few files only. */
const SLICES_MAX = 2000;
const SLICE_US_MIN = 60_000_000;

/** Rows of a page: as many as make about so many characters, by those of the page before. */
const PAGE_CHARACTERS = 8 * 1024 * 1024;
const PAGE_ROWS_FIRST = 100;
const PAGE_ROWS_MIN = 10;
const PAGE_ROWS_MAX = 5000;
/** A page that is too large is asked for again with its rows divided by this; the next one has at most twice as many. */
const SHRINK = 8;

/** Kinds of requests: outcomes × payload states, of which there are few. */
const KINDS_MAX = 1000;

/** Whose answer it was: what a shadow predicted was asked by nobody. */
const ROLE_LIST = "'primary', 'fallback', 'cache'";

/** The logged requests of a service. It holds two pages of them, however many there are. */
export class LoggedTraffic {
  readonly #engine: QueryEngine;
  readonly #filter: TrafficFilter;
  readonly #signal: AbortSignal | undefined;

  /** @param signal ends it: what is asked then throws its reason. */
  constructor(engine: QueryEngine, filter: TrafficFilter, signal?: AbortSignal) {
    this.#engine = engine;
    this.#filter = filter;
    this.#signal = signal;
  }

  /** How many requests there are, and why some of them cannot be replayed. */
  async kinds(): Promise<readonly TrafficKind[]> {
    const { withErrors } = this.#filter;
    const rows = await this.#ask(
      `SELECT status, payload, count(*) FILTER (row_index = 0) FROM predictions
       WHERE service = $1 AND ts >= make_timestamp($2::BIGINT) AND ts < make_timestamp($3::BIGINT)
         AND role IN (${ROLE_LIST})
       GROUP BY status, payload`,
      [],
      KINDS_MAX,
    );
    return rows.map(([status, payload, requests]) => ({
      requests: Number(requests),
      skipped: reasonOf({ status, payload }, withErrors),
    }));
  }

  /** The requests that can be replayed, the oldest first. */
  async *requests(): AsyncGenerator<LoggedRequest> {
    const groups = new RowGroups();
    for (const slice of await this.#slices()) {
      for await (const page of this.#pages(slice)) yield* groups.add(page);
    }
    yield* groups.end();
  }

  /** Where there are any. */
  async #slices(): Promise<readonly Slice[]> {
    const { fromUs, untilUs } = this.#filter;
    const widthUs = Math.max(SLICE_US_MIN, Math.ceil((untilUs - fromUs) / SLICES_MAX));
    const rows = await this.#ask(
      `SELECT DISTINCT (epoch_us(ts) - $2::BIGINT) // $4::BIGINT AS slice FROM predictions
       WHERE ${this.#replayable()} ORDER BY slice`,
      [widthUs],
      SLICES_MAX + 1,
    );
    return rows.map(([slice]) => {
      const startUs = fromUs + Number(slice) * widthUs;
      return { fromUs: startUs, untilUs: Math.min(untilUs, startUs + widthUs) };
    });
  }

  /** The next page is asked for before this one is used, so that two are in memory. */
  async *#pages({ fromUs, untilUs }: Slice): AsyncGenerator<readonly LoggedRow[]> {
    let rowsMax = PAGE_ROWS_FIRST;
    const first = { receivedUs: fromUs, predictionId: "", rowIndex: -1 };
    let asked: Promise<FoundPage> | undefined = this.#page(untilUs, first, rowsMax);
    while (asked !== undefined) {
      const { rows, isLast }: FoundPage = await asked;
      const page = rows.map((row) => readLoggedRow(row));
      const last = page.at(-1);
      asked = undefined;
      if (last !== undefined && !isLast) {
        rowsMax = Math.min(rowsOfPage(rows), 2 * rows.length);
        asked = this.#page(untilUs, last, rowsMax);
        asked.catch(() => undefined); // whoever ends early does not wait for it
      }
      if (last !== undefined) yield page;
    }
  }

  /** The rows that follow `last`; fewer than `rowsMax` where these are too large to be had at once. */
  async #page(
    untilUs: number,
    last: Pick<LoggedRow, "receivedUs" | "predictionId" | "rowIndex">,
    rowsMax: number,
  ): Promise<FoundPage> {
    for (let count = rowsMax; ; count = Math.ceil(count / SHRINK)) {
      try {
        const rows = await this.#rowsAfter(last, untilUs, count);
        return { rows, isLast: rows.length < count };
      } catch (error) {
        if (count === 1 || !isTooLarge(error)) throw error;
      }
    }
  }

  #rowsAfter(
    last: Pick<LoggedRow, "receivedUs" | "predictionId" | "rowIndex">,
    untilUs: number,
    rowsMax: number,
  ): Promise<Page> {
    const sql = `SELECT ${LOGGED_ROW_COLUMNS} FROM predictions
      WHERE ${this.#replayable()}
        AND ts >= make_timestamp($4::BIGINT) AND ts < make_timestamp($5::BIGINT)
        AND (ts > make_timestamp($4::BIGINT) OR (split_part(prediction_id, '#', 1), row_index) > ($6::VARCHAR, $7::INTEGER))
      ORDER BY ts, request, row_index LIMIT ${rowsMax}`;
    const { receivedUs, predictionId, rowIndex } = last;
    return this.#ask(sql, [receivedUs, untilUs, predictionId, rowIndex], rowsMax);
  }

  #replayable(): string {
    const status = this.#filter.withErrors ? "" : "AND status = 'ok'";
    return `service = $1 AND ts >= make_timestamp($2::BIGINT) AND ts < make_timestamp($3::BIGINT)
      AND role IN (${ROLE_LIST}) AND payload = 'full' ${status}`;
  }

  /** @param more values from `$4` on. */
  async #ask(sql: string, more: readonly (string | number)[], rowsMax: number): Promise<Page> {
    const { service, fromUs, untilUs } = this.#filter;
    const parameters = [service, fromUs, untilUs, ...more];
    const order = { sql, format: "json", parameters, rowsMax, timeoutMs: undefined } as const;
    const result = await this.#engine.query(order, this.#signal);
    if (result.kind !== "rows") throw new Error("the log was asked for rows and gave bytes");
    return result.rows;
  }
}

interface KindColumns {
  readonly status: JsonValue | undefined;
  readonly payload: JsonValue | undefined;
}

function reasonOf({ status, payload }: KindColumns, withErrors: boolean): string | undefined {
  if (status !== "ok" && !withErrors) return "it failed";
  return payload === "full" ? undefined : (PAYLOAD_REASONS.get(payload) ?? "no inputs were logged");
}

const PAYLOAD_REASONS: ReadonlyMap<JsonValue | undefined, string> = new Map([
  ["off", "no inputs were logged: services.<name>.log.payload"],
  ["shed", "its inputs were left out while the log was full"],
  ["too_large", "its inputs were too large for the log"],
  ["dropped", "its inputs were older than log.retention.payload"],
]);

/** Rows that make a page as long as it may be, when they are like these. */
function rowsOfPage(rows: Page): number {
  const characters = rows.reduce((sum, row) => sum + charactersOf(row), 0);
  const fitting = Math.floor((PAGE_CHARACTERS * rows.length) / Math.max(1, characters));
  return Math.min(PAGE_ROWS_MAX, Math.max(PAGE_ROWS_MIN, fitting));
}

/** Whoever is asked may be another process, whose errors have the code and not the class. */
function isTooLarge(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "QUERY_TOO_LARGE";
}

function charactersOf(row: readonly JsonValue[]): number {
  return row.reduce<number>((sum, one) => sum + (typeof one === "string" ? one.length : 8), 0);
}
