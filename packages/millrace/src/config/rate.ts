/** Units a rate may have, in seconds. */
const SECONDS_PER_UNIT = { s: 1, m: 60, h: 3600 } as const;

/** A rate as text: a number, `/` and one unit, `2000/s`, `100/m`, `5/h`. */
export const RATE_PATTERN = /^(\d+(?:\.\d+)?)\/(s|m|h)$/;

export const RATE_UNITS = Object.keys(SECONDS_PER_UNIT)
  .map((unit) => `/${unit}`)
  .join(", ");

/** @returns so many a second; undefined when `text` is not a rate with its unit. */
export function parseRate(text: string): number | undefined {
  const [, amount, unit] = RATE_PATTERN.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Number(amount) / SECONDS_PER_UNIT[unit as keyof typeof SECONDS_PER_UNIT];
}
