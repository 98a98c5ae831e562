/** Units a size may have, smallest first, in bytes: binary only, so that 1 KB never means two things. */
const BYTES_PER_UNIT = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** A size as text: a number and one unit, `512B`, `64KiB`, `1.5GiB`. */
export const SIZE_PATTERN = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB)$/;

export const SIZE_UNITS = Object.keys(BYTES_PER_UNIT).join(", ");

/** @returns whole bytes; undefined when `text` is not a size with its unit. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = SIZE_PATTERN.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  return Math.round(Number(amount) * BYTES_PER_UNIT[unit as keyof typeof BYTES_PER_UNIT]);
}
