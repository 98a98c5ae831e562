import { expect, it } from "vitest";
import { isTimeZone, TimeZones } from "./time-zones.ts";

function localText(zone: string, utc: string): string {
  return new Date(new TimeZones().localMs(zone, Date.parse(utc))).toISOString().slice(0, 19);
}

it.each([
  ["Asia/Seoul", "2026-11-20T22:00:00Z", "2026-11-21T07:00:00"],
  ["UTC", "2026-11-20T22:00:00Z", "2026-11-20T22:00:00"],
  ["Asia/Kathmandu", "2026-11-20T22:00:00Z", "2026-11-21T03:45:00"],
  ["America/St_Johns", "2026-11-20T22:00:00Z", "2026-11-20T18:30:00"],
  ["America/New_York", "2026-07-01T00:00:00Z", "2026-06-30T20:00:00"],
  ["+09:00", "2026-11-20T22:00:00Z", "2026-11-21T07:00:00"],
])("localMs() in %s at %s shows %s", (zone, utc, local) => {
  expect(localText(zone, utc)).toBe(local);
});

it("localMs() goes from 02:00 to 03:00 when Berlin's clocks go forward", () => {
  expect(localText("Europe/Berlin", "2026-03-29T00:59:59Z")).toBe("2026-03-29T01:59:59");
  expect(localText("Europe/Berlin", "2026-03-29T01:00:00Z")).toBe("2026-03-29T03:00:00");
});

it("localMs() shows 02:30 twice when Berlin's clocks go back", () => {
  expect(localText("Europe/Berlin", "2026-10-25T00:30:00Z")).toBe("2026-10-25T02:30:00");
  expect(localText("Europe/Berlin", "2026-10-25T01:30:00Z")).toBe("2026-10-25T02:30:00");
});

it("localMs() follows a change of the clocks, there and back, with one instance", () => {
  const zones = new TimeZones();
  const changeMs = Date.parse("2026-10-25T01:00:00Z");
  const offsetHours = (wallMs: number) =>
    (zones.localMs("Europe/Berlin", wallMs) - wallMs) / 3_600_000;
  expect(offsetHours(changeMs - 1)).toBe(2);
  expect(offsetHours(changeMs)).toBe(1);
  expect(offsetHours(changeMs - 1)).toBe(2);
});

it("localMs() follows clocks that change at a minute past midnight", () => {
  const zones = new TimeZones();
  const offsetHours = (utc: string) =>
    (zones.localMs("Antarctica/Casey", Date.parse(utc)) - Date.parse(utc)) / 3_600_000;
  expect(offsetHours("2022-10-01T16:00:59.999Z")).toBe(8);
  expect(offsetHours("2022-10-01T16:01:00Z")).toBe(11);
});

it("localMs() agrees with the fields that Node.js shows, over two years", () => {
  const zones = new TimeZones();
  const startMs = Date.parse("2026-01-01T03:25:45Z");
  for (const zone of ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]) {
    const format = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone,
      dateStyle: "short",
      timeStyle: "medium",
    });
    const times = Array.from({ length: 2500 }, (_, i) => startMs + i * 7 * 3_600_000);
    const shown = times.map((ms) => new Date(zones.localMs(zone, ms)).toISOString().slice(0, 19));
    expect(shown).toEqual(times.map((ms) => format.format(ms).replace(" ", "T")));
  }
});

it("localMs() throws a RangeError for a zone that does not exist", () => {
  expect(() => new TimeZones().localMs("Europe/Atlantis", 0)).toThrow(RangeError);
});

it("isTimeZone() knows names and offsets, and nothing else", () => {
  const known = ["Europe/Berlin", "Asia/Seoul", "UTC", "+05:30"];
  const unknown = ["", "Berlin", "Europe/Atlantis", "GMT+25", "local"];
  expect([...known, ...unknown].filter(isTimeZone)).toEqual(known);
});
