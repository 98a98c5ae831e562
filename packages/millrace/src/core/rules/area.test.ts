import { expect, it } from "vitest";
import { distanceKm, isInArea } from "./area.ts";
import type { Area, Point } from "./area.ts";

const BERLIN: Point = { lat: 52.52, lon: 13.405 };
const POTSDAM: Point = { lat: 52.396, lon: 13.058 };
const HAMBURG: Point = { lat: 53.551, lon: 9.993 };
const SEOUL: Point = { lat: 37.566, lon: 126.978 };
const FIJI: Point = { lat: -17.8, lon: 178 };
const SAMOA: Point = { lat: -13.8, lon: -172.1 };

it.each<readonly [Point, Point, number]>([
  [BERLIN, HAMBURG, 255.6],
  [BERLIN, SEOUL, 8130],
  [{ lat: 0, lon: 0 }, { lat: 0, lon: 1 }, 111.195],
  [{ lat: 90, lon: 0 }, { lat: -90, lon: 77 }, 20_015.1],
  [{ lat: 0, lon: 179.5 }, { lat: 0, lon: -179.5 }, 111.195],
  [BERLIN, BERLIN, 0],
])("distanceKm(%j, %j) is %s", (a, b, km) => {
  expect(Math.abs(distanceKm(a, b) - km)).toBeLessThanOrEqual(0.002 * km);
});

it("isInArea() takes what is at most the radius away from a circle's center", () => {
  const around = (radiusKm: number): Area => ({ kind: "circle", center: BERLIN, radiusKm });
  const away = distanceKm(BERLIN, POTSDAM);
  expect(isInArea(around(away), POTSDAM)).toBe(true);
  expect(isInArea(around(away - 0.001), POTSDAM)).toBe(false);
});

it("isInArea() takes what is between the sides of a box, with them", () => {
  const germany: Area = { kind: "box", south: 47.2, north: 55.1, west: 5.8, east: 15.1 };
  expect(isInArea(germany, BERLIN)).toBe(true);
  expect(isInArea(germany, SEOUL)).toBe(false);
  expect(isInArea(germany, { lat: 47.2, lon: 15.1 })).toBe(true);
  expect(isInArea(germany, { lat: 47.1, lon: 15.1 })).toBe(false);
});

it("isInArea() has boxes across the 180th meridian", () => {
  const pacific: Area = { kind: "box", south: -30, north: 0, west: 170, east: -165 };
  expect(isInArea(pacific, FIJI)).toBe(true);
  expect(isInArea(pacific, SAMOA)).toBe(true);
  expect(isInArea(pacific, { lat: -20, lon: 0 })).toBe(false);
});

it("isInArea() takes what is inside a polygon, also where it is hollow", () => {
  const cornersOfU = [
    [0, 0],
    [10, 0],
    [10, 2],
    [2, 2],
    [2, 8],
    [10, 8],
    [10, 10],
    [0, 10],
  ] as const;
  const u: Area = { kind: "polygon", corners: cornersOfU.map(([lat, lon]) => ({ lat, lon })) };
  expect(isInArea(u, { lat: 1, lon: 5 })).toBe(true);
  expect(isInArea(u, { lat: 9, lon: 1 })).toBe(true);
  expect(isInArea(u, { lat: 9, lon: 9 })).toBe(true);
  expect(isInArea(u, { lat: 9, lon: 5 })).toBe(false);
  expect(isInArea(u, { lat: -1, lon: 5 })).toBe(false);
  expect(isInArea(u, { lat: 1, lon: 11 })).toBe(false);
});

it("isInArea() has polygons across the 180th meridian, and not the rest of the Earth", () => {
  const pacific: Area = {
    kind: "polygon",
    corners: [
      { lat: 0, lon: 170 },
      { lat: 0, lon: -165 },
      { lat: -30, lon: -165 },
      { lat: -30, lon: 170 },
    ],
  };
  expect(isInArea(pacific, FIJI)).toBe(true);
  expect(isInArea(pacific, SAMOA)).toBe(true);
  expect(isInArea(pacific, { lat: -20, lon: 180 })).toBe(true);
  expect(isInArea(pacific, { lat: -20, lon: -180 })).toBe(true);
  for (const lon of [0, 10, -10, 90, -90, 160, -160]) {
    expect(isInArea(pacific, { lat: -20, lon }), `${lon}`).toBe(false);
  }
});

it("isInArea() agrees for a polygon and a box of the same sides", () => {
  for (const [west, east] of [
    [-10, 40],
    [170, -170],
    [100, -100],
  ] as const) {
    const box: Area = { kind: "box", south: -20, north: 30, west, east };
    const corners = [
      { lat: -20, lon: west },
      { lat: -20, lon: east },
      { lat: 30, lon: east },
      { lat: 30, lon: west },
    ];
    const points: Point[] = [];
    for (let lat = -85; lat <= 85; lat += 7.3) {
      for (let lon = -179.9; lon <= 180; lon += 7.7) points.push({ lat, lon });
    }
    const inPolygon = points.filter((point) => isInArea({ kind: "polygon", corners }, point));
    expect(inPolygon).toEqual(points.filter((point) => isInArea(box, point)));
    expect(inPolygon.length).toBeGreaterThan(0);
  }
});
