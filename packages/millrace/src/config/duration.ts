/** Units a duration may have, smallest first, in milliseconds. */
const MS_PER_UNIT = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration as text: a number and one unit, `250ms`, `1.5s`, `30d`. */
export const DURATION_PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

export const DURATION_UNITS = Object.keys(MS_PER_UNIT).join(", ");

/** @returns whole milliseconds; undefined when `text` is not a duration with its unit. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = DURATION_PATTERN.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Math.round(Number(amount) * MS_PER_UNIT[unit as keyof typeof MS_PER_UNIT]);
}
