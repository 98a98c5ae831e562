import { expect, it } from "vitest";
import type { TableFile } from "../ports/log-tables.ts";
import { planHousekeeping, type HousekeepingFacts } from "./plan-housekeeping.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MIB = 1024 * 1024;
/** 2026-11-21 16:00:00 UTC, when the hour 15 has just ended. */
const NOW_MS = Date.UTC(2026, 10, 21, 16);

function file(
  name: string,
  members: Partial<TableFile> & { readonly hour?: number } = {},
): TableFile {
  const { table = "predictions", date = "2026-11-21", hour = 15, byteLength = 1_000 } = members;
  const folders =
    table === "predictions" ? `/hour=${String(hour).padStart(2, "0")}/model=iris` : "";
  const partition = `${table}/dt=${date}${folders}`;
  return {
    path: `${partition}/${name}.parquet`,
    table,
    partition,
    date,
    hour: table === "predictions" ? hour : undefined,
    isWithoutPayload: name.endsWith("-np"),
    byteLength,
  };
}

function plan(
  files: readonly TableFile[],
  facts: Partial<HousekeepingFacts & { isHeld: boolean }> = {},
) {
  const { wallMs = NOW_MS, retentionMs = wallMs, isHeld = false } = facts;
  const retention = { rowsMs: 30 * DAY_MS, payloadMs: 7 * DAY_MS, isHeld };
  const config = { rollMs: 300_000, retention };
  return planHousekeeping(files, { wallMs, retentionMs, config }).map(({ kind, files: chosen }) => [
    kind,
    ...chosen.map(({ path }) => path.split("/").at(-1)?.replace(".parquet", "")),
  ]);
}

it("planHousekeeping() makes one file of an hour when it is over and what is of it has been shipped", () => {
  const files = [file("a"), file("b"), file("c")];
  expect(plan(files)).toEqual([]);
  expect(plan(files, { wallMs: NOW_MS + 600_000 })).toEqual([]);
  expect(plan(files, { wallMs: NOW_MS + 600_001 })).toEqual([["compact", "a", "b", "c"]]);
  expect(plan([file("a")], { wallMs: NOW_MS + HOUR_MS })).toEqual([]);
});

it("planHousekeeping() makes one file of many small ones while the hour runs", () => {
  const small = Array.from({ length: 17 }, (_, index) => file(`s${index}`, { hour: 16 }));
  const large = file("large", { hour: 16, byteLength: 17 * MIB });
  expect(plan([...small.slice(1), large])).toEqual([]);
  expect(plan([...small, large])).toEqual([["compact", ...small.map((_, index) => `s${index}`)]]);
});

it("planHousekeeping() takes feedback by days", () => {
  const files = [file("a", { table: "feedback" }), file("b", { table: "feedback" })];
  expect(plan(files)).toEqual([]);
  expect(plan(files, { wallMs: NOW_MS + DAY_MS })).toEqual([["compact", "a", "b"]]);
});

it("planHousekeeping() leaves large files as they are", () => {
  const [half, more] = [600 * MIB, 1024 * MIB];
  const wallMs = NOW_MS + HOUR_MS;
  const files = [file("a", { byteLength: half }), file("b", { byteLength: half })];
  expect(plan(files, { wallMs })).toEqual([]);
  expect(plan([...files, file("c", { byteLength: 10 })], { wallMs })).toEqual([
    ["compact", "c", "a"],
  ]);
  expect(plan([file("a", { byteLength: more }), file("b", { byteLength: 1 })], { wallMs })).toEqual(
    [],
  );
});

it("planHousekeeping() takes the payload out once, and deletes the rows when they are old", () => {
  const date = "2026-11-14";
  const endMs = Date.UTC(2026, 10, 14, 16);
  const files = [file("a", { date }), file("b-np", { date })];
  const at = (ageMs: number) => plan(files, { wallMs: endMs + ageMs });
  expect(at(7 * DAY_MS)).toEqual([]);
  expect(at(7 * DAY_MS + 1)).toEqual([["drop_payload", "a"]]);
  expect(plan([file("b-np", { date })], { wallMs: endMs + 8 * DAY_MS })).toEqual([]);
  expect(at(30 * DAY_MS)).toEqual([["drop_payload", "a"]]);
  expect(at(30 * DAY_MS + 1)).toEqual([["remove", "a", "b-np"]]);
});

it("planHousekeeping() keeps rows with and without inputs apart", () => {
  const wallMs = NOW_MS + HOUR_MS;
  expect(plan([file("a"), file("b-np")], { wallMs })).toEqual([]);
  expect(plan([file("a-np"), file("b-np"), file("c")], { wallMs })).toEqual([
    ["compact", "a-np", "b-np"],
  ]);
});

it("planHousekeeping() deletes nothing while it is held, and goes by the retention's own time", () => {
  const files = [file("a", { date: "2026-01-01" })];
  expect(plan(files)).toEqual([["remove", "a"]]);
  expect(plan(files, { isHeld: true })).toEqual([]);
  expect(plan(files, { retentionMs: Date.UTC(2026, 0, 2) })).toEqual([]);
});
