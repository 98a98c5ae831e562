import type { Area } from "./area.ts";
import type { JsonPath } from "./attributes.ts";
import type { Predicate } from "./condition.ts";
import { dateText, MINUTES_PER_DAY, timeOfDayText } from "./time-window.ts";
import type { TimeWindow } from "./time-window.ts";
import type { ValueTest } from "./value-test.ts";

/** Stands for a value that is nobody's business. */
export const HIDDEN = "(hidden)";

/** Headers that carry credentials: neither their values nor what they are compared with are shown. */
const HIDDEN_HEADERS: readonly string[] = ["authorization", "cookie", "proxy-authorization"];

/** What a predicate asks for: `header target equals "mountain"`, `time 22:00 to 06:00 Asia/Seoul, from fri`. */
export function predicateText(predicate: Predicate): string {
  switch (predicate.kind) {
    case "header":
    case "query":
    case "cookie":
      return `${predicate.kind} ${predicate.name} ${shownTest(predicate)}`;
    case "body":
      return `body ${pathText(predicate.path)} ${shownTest(predicate)}`;
    case "input":
      return `input ${predicate.name} ${shownTest(predicate)}`;
    case "method":
    case "path":
    case "caller":
      return `${predicate.kind} ${shownTest(predicate)}`;
    case "percent":
      return `${percentText(predicate.share)} by salt ${JSON.stringify(predicate.salt)}`;
    case "time":
      return `time ${windowText(predicate.window)}`;
    case "country":
      return `country in header ${predicate.header} is ${choiceText(predicate.countries)}`;
    case "area":
      return `place in headers ${predicate.latHeader}, ${predicate.lonHeader} is ${areaText(predicate.area)}`;
  }
}

/** Is the value that the predicate looks at one that must not be shown? All cookies may hold sessions. */
export function isHidden(predicate: Predicate): boolean {
  if (predicate.kind === "cookie") return true;
  return predicate.kind === "header" && HIDDEN_HEADERS.includes(predicate.name);
}

/** `12.34 %`. */
export function percentText(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

function shownTest(predicate: Extract<Predicate, { readonly test: ValueTest }>): string {
  const { test } = predicate;
  return test.kind !== "exists" && isHidden(predicate) ? HIDDEN : testText(test);
}

function testText(test: ValueTest): string {
  switch (test.kind) {
    case "equals":
      return `equals ${JSON.stringify(test.value)}`;
    case "oneOf":
      return `is ${choiceText(test.values.map((value) => JSON.stringify(value)))}`;
    case "prefix":
      return `begins with ${JSON.stringify(test.prefix)}`;
    case "matches":
      return `matches ${JSON.stringify(test.glob)}`;
    case "exists":
      return test.isThere ? "exists" : "does not exist";
    case "atLeast":
      return `is at least ${test.bound}`;
    case "atMost":
      return `is at most ${test.bound}`;
    case "above":
      return `is above ${test.bound}`;
    case "below":
      return `is below ${test.bound}`;
  }
}

function windowText({ fromMinute, toMinute, timeZone, ...days }: TimeWindow): string {
  const isWholeDay = fromMinute === 0 && toMinute === MINUTES_PER_DAY;
  const hours = isWholeDay
    ? "all day"
    : `${timeOfDayText(fromMinute)} to ${timeOfDayText(toMinute)}`;
  const { weekdays, fromDay, toDay } = days;
  const weekdayText = weekdays === undefined ? "" : `, on ${weekdays.join(", ")}`;
  const first = fromDay === undefined ? "" : `, since ${dateText(fromDay)}`;
  const last = toDay === undefined ? "" : `, until ${dateText(toDay)}`;
  return `${hours} ${timeZone}${weekdayText}${first}${last}`;
}

function areaText(area: Area): string {
  switch (area.kind) {
    case "box":
      return `in the box ${area.south} to ${area.north} N, ${area.west} to ${area.east} E`;
    case "circle":
      return `within ${area.radiusKm} km of ${area.center.lat}, ${area.center.lon}`;
    case "polygon":
      return `in the polygon ${area.corners.map(({ lat, lon }) => `${lat}, ${lon}`).join("; ")}`;
  }
}

/** `customer.tier`, `items.0.price`: as it is written in the file. */
function pathText(path: JsonPath): string {
  return path.join(".");
}

/** `DE, FR or KR`. */
function choiceText(texts: readonly string[]): string {
  return texts.length < 2
    ? texts.join()
    : `${texts.slice(0, -1).join(", ")} or ${texts.at(-1) ?? ""}`;
}
