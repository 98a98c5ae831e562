export type Weekday = (typeof WEEKDAYS)[number];

/** In the order of their numbers: 1970-01-01 was a Thursday. */
export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** A part of the day by the clocks of a place, on all days or some. */
export interface TimeWindow {
  /** Minute of the day at which it begins, 0 to 1439. */
  readonly fromMinute: number;
  /** Minute before which it ends, 0 to 1440 and not `fromMinute`. Where it is smaller, the window ends on the next day. */
  readonly toMinute: number;
  /** IANA name. */
  readonly timeZone: string;
  /** Days on which it begins; undefined: every day. */
  readonly weekdays: readonly Weekday[] | undefined;
  /** First and last day on which it begins, in days since 1970-01-01; undefined: no bound. */
  readonly fromDay: number | undefined;
  readonly toDay: number | undefined;
}

export const MINUTES_PER_DAY = 1440;

const MINUTE_MS = 60_000;

const DAY_MS = MINUTES_PER_DAY * MINUTE_MS;

/**
 * Do the clocks show a time in the window? They are what counts, not the time that has passed: where they skip an
 * hour, a window in that hour does not happen, and where they repeat one, it happens twice.
 *
 * @param localMs what `TimeZones.localMs` says for the window's zone.
 */
export function isInWindow(window: TimeWindow, localMs: number): boolean {
  const { fromMinute, toMinute } = window;
  const today = Math.floor(localMs / DAY_MS);
  const minute = Math.floor((localMs - today * DAY_MS) / MINUTE_MS);
  if (fromMinute < toMinute) {
    return minute >= fromMinute && minute < toMinute && beginsOn(window, today);
  }
  if (minute >= fromMinute) return beginsOn(window, today);
  return minute < toMinute && beginsOn(window, today - 1);
}

/** @param day since 1970-01-01. */
export function weekdayOf(day: number): Weekday {
  // + 3: the days since the Monday before; a rest of 7 may be negative before 1970.
  const index = (((day + 3) % 7) + 7) % 7;
  return WEEKDAYS[index]!; // below 7
}

/** Local time in words: `fri 2026-11-20 22:30`. */
export function localTimeText(localMs: number): string {
  const day = Math.floor(localMs / DAY_MS);
  const minute = Math.floor((localMs - day * DAY_MS) / MINUTE_MS);
  return `${weekdayOf(day)} ${dateText(day)} ${timeOfDayText(minute)}`;
}

/** `2026-11-20`. */
export function dateText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, "2026-11-20".length);
}

/** `07:05`, and `24:00` for the end of the day. */
export function timeOfDayText(minute: number): string {
  const twoDigits = (value: number) => String(value).padStart(2, "0");
  return `${twoDigits(Math.floor(minute / 60))}:${twoDigits(minute % 60)}`;
}

function beginsOn({ weekdays, fromDay, toDay }: TimeWindow, day: number): boolean {
  if (fromDay !== undefined && day < fromDay) return false;
  if (toDay !== undefined && day > toDay) return false;
  return weekdays === undefined || weekdays.includes(weekdayOf(day));
}
