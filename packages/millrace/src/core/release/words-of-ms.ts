const UNITS = [
  { ms: 86_400_000, name: "d" },
  { ms: 3_600_000, name: "h" },
  { ms: 60_000, name: "m" },
  { ms: 1_000, name: "s" },
] as const;

/** A time in the largest unit that it has at least two of, rounded up, as the file would have it: `90m`, `36h`, `2d`. */
export function wordsOfMs(ms: number): string {
  const unit = UNITS.find((one) => ms >= 2 * one.ms || ms === one.ms) ?? { ms: 1, name: "ms" };
  return `${Math.ceil(ms / unit.ms)}${unit.name}`;
}
