import { expect, it } from "vitest";
import { isInWindow, localTimeText, timeOfDayText, weekdayOf } from "./time-window.ts";
import type { TimeWindow } from "./time-window.ts";
import { TimeZones } from "./time-zones.ts";

const zones = new TimeZones();

function isIn(window: TimeWindow, utc: string): boolean {
  return isInWindow(window, zones.localMs(window.timeZone, Date.parse(utc)));
}

function windowOf(
  from: string,
  to: string,
  timeZone: string,
  days: Partial<TimeWindow> = {},
): TimeWindow {
  const minuteOf = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  return {
    fromMinute: minuteOf(from),
    toMinute: minuteOf(to),
    timeZone,
    weekdays: undefined,
    fromDay: undefined,
    toDay: undefined,
    ...days,
  };
}

function dayOf(date: string): number {
  return Date.parse(date) / 86_400_000;
}

it("isInWindow() takes the first moment and not the last: Seoul 07:00 to 11:00", () => {
  const breakfast = windowOf("07:00", "11:00", "Asia/Seoul");
  expect(isIn(breakfast, "2026-11-20T21:59:59.999Z")).toBe(false);
  expect(isIn(breakfast, "2026-11-20T22:00:00Z")).toBe(true);
  expect(isIn(breakfast, "2026-11-21T01:59:59.999Z")).toBe(true);
  expect(isIn(breakfast, "2026-11-21T02:00:00Z")).toBe(false);
});

it("isInWindow() cannot happen in the hour that Berlin's clocks skip", () => {
  const skipped = windowOf("02:00", "03:00", "Europe/Berlin");
  const around = windowOf("01:30", "03:30", "Europe/Berlin");
  const dayStartMs = Date.parse("2026-03-28T22:00:00Z");
  const minutes = Array.from({ length: 6 * 60 }, (_, minute) => dayStartMs + minute * 60_000);
  const times = minutes.map((ms) => new Date(ms).toISOString());
  expect(times.filter((utc) => isIn(skipped, utc))).toEqual([]);
  // 01:59 in winter time and 03:00 in summer time are one minute apart.
  expect(isIn(around, "2026-03-29T00:59:00Z")).toBe(true);
  expect(isIn(around, "2026-03-29T01:00:00Z")).toBe(true);
  expect(isIn(around, "2026-03-29T01:30:00Z")).toBe(false);
});

it("isInWindow() happens twice in the hour that Berlin's clocks repeat", () => {
  const repeated = windowOf("02:00", "03:00", "Europe/Berlin");
  expect(isIn(repeated, "2026-10-24T23:59:59Z")).toBe(false);
  expect(isIn(repeated, "2026-10-25T00:30:00Z")).toBe(true);
  expect(isIn(repeated, "2026-10-25T01:30:00Z")).toBe(true);
  expect(isIn(repeated, "2026-10-25T02:00:00Z")).toBe(false);
});

it("isInWindow() goes past midnight, on the day on which it began", () => {
  const night = windowOf("22:00", "06:00", "Europe/Berlin", { weekdays: ["fri"] });
  // 2026-11-20 is a Friday; Berlin is an hour ahead of UTC.
  expect(isIn(night, "2026-11-19T23:00:00Z")).toBe(false);
  expect(isIn(night, "2026-11-20T20:59:00Z")).toBe(false);
  expect(isIn(night, "2026-11-20T21:00:00Z")).toBe(true);
  expect(isIn(night, "2026-11-21T04:59:00Z")).toBe(true);
  expect(isIn(night, "2026-11-21T05:00:00Z")).toBe(false);
  expect(isIn(night, "2026-11-21T21:00:00Z")).toBe(false);
});

it("isInWindow() keeps to weekdays of the place, not of UTC", () => {
  const monday = windowOf("00:00", "24:00", "Asia/Seoul", { weekdays: ["mon"] });
  expect(isIn(monday, "2026-11-22T14:59:59Z")).toBe(false);
  expect(isIn(monday, "2026-11-22T15:00:00Z")).toBe(true);
  expect(isIn(monday, "2026-11-23T14:59:59Z")).toBe(true);
  expect(isIn(monday, "2026-11-23T15:00:00Z")).toBe(false);
});

it("isInWindow() begins on dates from the first to the last, both with it", () => {
  const days = { fromDay: dayOf("2026-12-24"), toDay: dayOf("2026-12-26") };
  const holidays = windowOf("00:00", "24:00", "UTC", days);
  expect(isIn(holidays, "2026-12-23T23:59:59Z")).toBe(false);
  expect(isIn(holidays, "2026-12-24T00:00:00Z")).toBe(true);
  expect(isIn(holidays, "2026-12-26T23:59:59Z")).toBe(true);
  expect(isIn(holidays, "2026-12-27T00:00:00Z")).toBe(false);

  const nights = windowOf("22:00", "06:00", "UTC", days);
  expect(isIn(nights, "2026-12-24T05:00:00Z")).toBe(false);
  expect(isIn(nights, "2026-12-27T05:59:00Z")).toBe(true);
});

it("isInWindow() that ends at 00:00 lasts to the end of the day", () => {
  const evening = windowOf("18:00", "00:00", "UTC");
  expect(isIn(evening, "2026-11-20T23:59:59Z")).toBe(true);
  expect(isIn(evening, "2026-11-21T00:00:00Z")).toBe(false);
});

it("weekdayOf() counts on both sides of 1970", () => {
  expect(weekdayOf(0)).toBe("thu");
  expect(weekdayOf(-4)).toBe("sun");
  expect(weekdayOf(dayOf("2026-11-21"))).toBe("sat");
});

it("localTimeText() and timeOfDayText() write what clocks show", () => {
  expect(localTimeText(Date.parse("2026-11-20T22:05:59.999Z"))).toBe("fri 2026-11-20 22:05");
  expect(timeOfDayText(1440)).toBe("24:00");
});
