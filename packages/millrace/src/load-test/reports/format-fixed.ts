/** Beyond it, a double has no digits behind the point, and `toFixed` gives powers of ten. */
const WHOLE_FROM = 1e21;

/** A number with so many digits behind the point as C and Go print it: where two are as near, the even one. */
export function formatFixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Math.abs(value) >= WHOLE_FROM) return `${BigInt(value)}.${"0".repeat(digits)}`;
  // Halfway between two is only what has one binary digit more behind the point: its decimal form is exact and ends in 5.
  const doubled = value * 2 ** (digits + 1);
  if (!Number.isInteger(doubled) || doubled % 2 === 0) return value.toFixed(digits);
  const cut = value.toFixed(digits + 1).slice(0, -1);
  return Number(cut.at(-1)) % 2 === 0 ? cut : value.toFixed(digits);
}
