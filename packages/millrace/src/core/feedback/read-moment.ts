/** Microseconds in a unit that a text may have. */
const US_PER_UNIT: Readonly<Record<string, number>> = { s: 1_000_000, ms: 1_000, us: 1 };

const NUMBER_WITH_UNIT = /^(\d{1,16})(?:\.(\d{1,6}))?(s|ms|us)$/;

/** RFC 3339, as every language prints it, and without seconds. */
const ISO_8601 =
  /^(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?([Zz]|[+-]\d{2}:?\d{2})$/;

/** What `readMoment` takes, for messages. */
export const MOMENT_FORMS =
  'a time with its zone, "2026-11-21T16:00:00Z", or the time since 1970 with its unit, "1795276800s" or "1795276800000ms"';

/** In the year 2255: microseconds are exact until then. */
const US_MAX = Number.MAX_SAFE_INTEGER;

/**
 * A moment as text: ISO 8601 with its zone, or a number since 1970 with its unit. A number alone is refused, because nobody
 * can tell seconds from milliseconds.
 * @returns microseconds since 1970, UTC; undefined when the text is none.
 */
export function readMoment(text: string): number | undefined {
  const us = readNumber(text) ?? readIso(text);
  return us !== undefined && us >= 0 && us <= US_MAX ? us : undefined;
}

function readNumber(text: string): number | undefined {
  const [, whole, fraction = "", unit = ""] = NUMBER_WITH_UNIT.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const perUnit = US_PER_UNIT[unit] as number;
  // In two parts, because seconds with microseconds have more digits than a double.
  return Number(whole) * perUnit + Math.floor(Number(`0.${fraction}0`) * perUnit + 1e-6);
}

function readIso(text: string): number | undefined {
  const [, toTheSecond, fraction = "", zone = ""] = ISO_8601.exec(text) ?? [];
  if (toTheSecond === undefined) return undefined;
  const offset = /\d{4}/.test(zone) ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone.toUpperCase();
  const date = toTheSecond.toUpperCase().replace(" ", "T");
  const ms = Date.parse(`${date}${offset}`);
  if (Number.isNaN(ms) || !isCalendarDate(date)) return undefined;
  return ms * 1_000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

/** `Date` takes the 31st of November for the 1st of December. */
function isCalendarDate(date: string): boolean {
  const [year = 0, month = 0, day = 0] = date.slice(0, 10).split("-").map(Number);
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
