import { afterEach, describe, expect, it } from "vitest";
import type { LoggedPrediction } from "../core/predictions/logged-prediction.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { isWhole } from "./group-rows.ts";
import type { LoggedRequest } from "./logged-request.ts";
import { LoggedTraffic, type TrafficFilter } from "./logged-traffic.ts";
import { logged, NOON_US } from "./test-logged.ts";
import { TestQueryEngine } from "./test-query-engine.ts";

const HOUR_US = 3_600_000_000;

const FILTER: TrafficFilter = {
  service: "iris",
  fromUs: NOON_US,
  untilUs: NOON_US + 24 * HOUR_US,
  withErrors: false,
};

let engine: TestQueryEngine | undefined;

afterEach(() => engine?.close());

async function read(
  records: readonly LoggedPrediction[],
  filter: Partial<TrafficFilter> = {},
): Promise<LoggedRequest[]> {
  engine = await TestQueryEngine.of(records);
  return listOf(new LoggedTraffic(engine, { ...FILTER, ...filter }).requests());
}

function rows(count: number, value = 1): Tensor {
  return {
    name: "x",
    datatype: "FP32",
    shape: [count, 1],
    data: new Float32Array(count).fill(value),
  };
}

async function listOf(requests: AsyncIterable<LoggedRequest>): Promise<LoggedRequest[]> {
  const list: LoggedRequest[] = [];
  for await (const request of requests) list.push(request);
  return list;
}

const ids = (requests: readonly LoggedRequest[]): readonly number[] =>
  requests.map(({ rows: [{ predictionId }] }) => Number.parseInt(predictionId.slice(-12), 16));

describe("LoggedTraffic", () => {
  it("gives the requests of a service in the order of time, whatever the order of the log", async () => {
    const of = { service: "other" };
    const found = await read([
      logged([rows(1)], [rows(1)], { number: 3 }),
      logged([rows(1)], [rows(1)], { number: 1 }),
      logged([rows(1)], [rows(1)], { number: 2, of }),
      logged([rows(1)], [rows(1)], { number: 4, receivedUs: NOON_US - 1 }),
      logged([rows(1)], [rows(1)], { number: 5, receivedUs: NOON_US + 24 * HOUR_US }),
      logged([rows(1)], [rows(1)], { number: 6, receivedUs: NOON_US }),
    ]);
    expect(ids(found)).toEqual([6, 1, 3]);
    expect(found[0]?.rows[0]).toMatchObject({
      receivedUs: NOON_US,
      rowIndex: 0,
      rowCount: 1,
      isPart: false,
      role: "primary",
      errorCode: undefined,
      inferUs: 30,
      totalUs: 50,
      features: { x: [1] },
    });
  });

  it("gives each request once, over pages and slices of time, and never more rows than a page", async () => {
    // 13 rows each: pages end inside of requests; all in one microsecond, then every ten minutes.
    const together = Array.from({ length: 120 }, (_, i) =>
      logged([rows(13)], [rows(13)], { number: i, receivedUs: NOON_US + 7 }),
    );
    const apart = Array.from({ length: 120 }, (_, i) =>
      logged([rows(2)], [rows(2)], {
        number: 1000 + i,
        receivedUs: NOON_US + 8 + i * (HOUR_US / 6),
      }),
    );
    const found = await read([...apart, ...together]);
    expect(ids(found)).toEqual([
      ...Array(120).keys(),
      ...[...Array(120).keys()].map((i) => 1000 + i),
    ]);
    expect(found.every(isWhole)).toBe(true);
    expect(found.map((request) => request.rows.length)).toEqual([
      ...Array<number>(120).fill(13),
      ...Array<number>(120).fill(2),
    ]);
    expect(Math.max(...(engine?.asked ?? []))).toBeLessThanOrEqual(5000);
  });

  it("makes pages smaller where rows are large", async () => {
    const wide: Tensor = {
      name: "x",
      datatype: "FP64",
      shape: [1, 2_000],
      data: new Float64Array(2_000).fill(1 / 3),
    };
    const records = Array.from({ length: 600 }, (_, number) =>
      logged([wide], [rows(1)], { number }),
    );
    const found = await read(records);
    expect(found).toHaveLength(600);
    // 36 KB a row: 8 MiB are about 230 of them.
    const [, first, second, third] = engine?.asked ?? [];
    expect([first, second]).toEqual([100, 200]);
    expect([(third ?? 0) > 200, (third ?? 500) < 250]).toEqual([true, true]);
  });

  it("asks for fewer rows when a page turns out to be too large, and gives up when one row is", async () => {
    const wide = new Float64Array(500).fill(1 / 3);
    const large: Tensor = { name: "x", datatype: "FP64", shape: [1, 500], data: wide };
    const records = Array.from({ length: 400 }, (_, number) =>
      logged([number < 300 ? rows(1) : large], [rows(1)], { number }),
    );
    engine = await TestQueryEngine.of(records);
    engine.charactersMax = 300_000;
    expect(ids(await listOf(new LoggedTraffic(engine, FILTER).requests()))).toEqual([
      ...Array(400).keys(),
    ]);
    // 100 of the small ones, 200 more, then the large ones, of which some 30 are allowed.
    expect(engine.asked.slice(0, 5)).toEqual([2001, 100, 200, 400, 50]);
    engine.charactersMax = 9_000;
    await expect(listOf(new LoggedTraffic(engine, FILTER).requests())).rejects.toThrow("too large");
  });

  it("keeps a request with other numbers of rows than it had apart, as one that is not whole", async () => {
    const of = logged([rows(3)], [rows(3)], { number: 1 });
    engine = await TestQueryEngine.of([of, logged([rows(2)], [rows(2)], { number: 2 })]);
    await engine.query({
      sql: "DELETE FROM predictions WHERE prediction_id LIKE '%1#1'",
      format: "json",
      parameters: [],
      rowsMax: 1,
      timeoutMs: undefined,
    });
    const found = await listOf(new LoggedTraffic(engine, FILTER).requests());
    expect(found.map((request) => [request.rows.length, isWhole(request)])).toEqual([
      [2, false],
      [2, true],
    ]);
  });

  it("tells how many cannot be replayed and why, in requests; copies for shadows are none", async () => {
    engine = await TestQueryEngine.of([
      logged([rows(4)], [rows(4)], { number: 1 }),
      logged([rows(1)], [rows(1)], { number: 2, of: { role: "cache" } }),
      logged([rows(1)], [rows(1)], { number: 3, of: { role: "shadow" } }),
      logged([rows(1)], undefined, { number: 4, errorCode: "MODEL_FAILED" }),
      logged(undefined, undefined, { number: 5, payload: "off", rowCount: 2 }),
      logged(undefined, undefined, { number: 6, payload: "shed" }),
    ]);
    const kindsOf = async (withErrors: boolean): Promise<Record<string, number>> => {
      const traffic = new LoggedTraffic(engine as TestQueryEngine, { ...FILTER, withErrors });
      const kinds = await traffic.kinds();
      const sums: Record<string, number> = {};
      for (const { requests, skipped = "replayed" } of kinds)
        sums[skipped] = (sums[skipped] ?? 0) + requests;
      return sums;
    };
    const rest = {
      replayed: 2,
      "no inputs were logged: services.<name>.log.payload": 1,
      "its inputs were left out while the log was full": 1,
    };
    expect(await kindsOf(false)).toEqual({ ...rest, "it failed": 1 });
    expect(await kindsOf(true)).toEqual({ ...rest, replayed: 3 });
    const found = await listOf(new LoggedTraffic(engine, FILTER).requests());
    expect(ids(found)).toEqual([1, 2]);
    const withErrors = new LoggedTraffic(engine, { ...FILTER, withErrors: true });
    expect(ids(await listOf(withErrors.requests()))).toEqual([1, 2, 4]);
  });

  it("keeps whole numbers of 64 bits exact", async () => {
    const data = new BigInt64Array([9_007_199_254_740_993n]);
    const [request] = await read([
      logged([{ name: "id", datatype: "INT64", shape: [1], data }], [rows(1)], { number: 1 }),
    ]);
    expect(request?.rows[0].features).toEqual({ id: 9_007_199_254_740_993n });
  });
});
