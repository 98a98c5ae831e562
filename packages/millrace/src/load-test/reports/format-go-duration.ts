const SECOND_NS = 1e9;
const MINUTE_NS = 60 * SECOND_NS;
const HOUR_NS = 60 * MINUTE_NS;

/** Each unit with the digits behind its point. */
const BELOW_A_SECOND = [
  { unit: "ms", ns: 1e6, digits: 6 },
  { unit: "µs", ns: 1e3, digits: 3 },
] as const;

/** What a duration is rounded to, by the unit that it is at least. */
const PRECISIONS = [
  { fromNs: HOUR_NS, toNs: MINUTE_NS },
  { fromNs: MINUTE_NS, toNs: SECOND_NS },
  { fromNs: SECOND_NS, toNs: 1e6 },
  { fromNs: 1e6, toNs: 1e3 },
] as const;

/** A duration as Go writes one: `1m14s`, `362.662µs`, `1h0m30s`, `0s`. @param ns whole nanoseconds. */
export function formatGoDuration(ns: number): string {
  if (ns < 0) return `-${formatGoDuration(-ns)}`;
  if (ns === 0) return "0s";
  if (ns >= SECOND_NS) return clockText(ns);
  const scale = BELOW_A_SECOND.find((one) => ns >= one.ns);
  return scale === undefined ? `${ns}ns` : `${decimal(ns, scale.ns, scale.digits)}${scale.unit}`;
}

/**
 * Rounds to the unit below the largest one of the duration, halves away from zero, as vegeta's text report does before it
 * prints: 74.272 s is `1m14s`, 14.2723 s is `14.272s`.
 */
export function roundGoDuration(ns: number): number {
  const precision = PRECISIONS.find(({ fromNs }) => ns >= fromNs);
  return precision === undefined ? ns : Math.round(ns / precision.toNs) * precision.toNs;
}

/** Hours and minutes only where there are any, but minutes always below hours. */
function clockText(ns: number): string {
  const hours = Math.floor(ns / HOUR_NS);
  const minutes = Math.floor((ns % HOUR_NS) / MINUTE_NS);
  const seconds = `${decimal(ns % MINUTE_NS, SECOND_NS, 9)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

/** `ns` in a unit, exact, without trailing zeros. */
function decimal(ns: number, unitNs: number, digits: number): string {
  const whole = Math.floor(ns / unitNs);
  const rest = ns % unitNs;
  if (rest === 0) return String(whole);
  const fraction = String(rest).padStart(digits, "0");
  let end = digits;
  while (fraction.charCodeAt(end - 1) === 0x30) end--;
  return `${whole}.${fraction.slice(0, end)}`;
}
