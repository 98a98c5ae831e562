/** Within a minute an offset stays. Not within a quarter of an hour: the clocks of Antarctica/Casey change at 00:01. */
const MINUTE_MS = 60_000;

/**
 * Local time in IANA time zones. Asking Node.js for the offset of a zone takes microseconds, so each zone keeps that
 * of the current minute. One for each rule set, or for many; it holds one entry for each zone it was asked for, and
 * those come from the configuration.
 */
export class TimeZones {
  readonly #zones = new Map<string, TimeZone>();

  /**
   * What the clocks of the zone show: the moment whose UTC reading it is, in milliseconds since 1970-01-01.
   *
   * @throws RangeError when there is no such zone; never for one that `isTimeZone` knows.
   */
  localMs(zone: string, wallMs: number): number {
    let known = this.#zones.get(zone);
    if (known === undefined) {
      known = new TimeZone(zone);
      this.#zones.set(zone, known);
    }
    return wallMs + known.offsetMs(wallMs);
  }
}

/** Is it a name of the IANA time zone database, or an offset such as `+09:00`? */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

class TimeZone {
  readonly #format: Intl.DateTimeFormat;
  #minute = Number.NaN;
  #offsetMs = 0;

  constructor(name: string) {
    this.#format = formatOf(name);
  }

  /** Local time minus UTC. */
  offsetMs(wallMs: number): number {
    const minute = Math.floor(wallMs / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#offsetMs = readOffsetMs(this.#format, minute * MINUTE_MS);
      this.#minute = minute;
    }
    return this.#offsetMs;
  }
}

/** Writes the offset: `GMT+05:30`, `GMT-03:30`, or just `GMT`. */
function formatOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", { timeZone, timeZoneName: "longOffset" });
}

/** Offsets of before about 1970 have seconds. */
const OFFSET_PATTERN = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/;

function readOffsetMs(format: Intl.DateTimeFormat, wallMs: number): number {
  const text = format.formatToParts(wallMs).find(({ type }) => type === "timeZoneName")?.value;
  const [, sign, hours, minutes, seconds = "0"] = OFFSET_PATTERN.exec(text ?? "") ?? [];
  if (sign === undefined) return 0;
  const offsetMs = 1000 * (3600 * Number(hours) + 60 * Number(minutes) + Number(seconds));
  return sign === "-" ? -offsetMs : offsetMs;
}
