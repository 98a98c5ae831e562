const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)$/u;

/** @returns nanoseconds since 1970-01-01 UTC; undefined for what is no time with a zone. */
export function parseRfc3339(text: string): bigint | undefined {
  const [, seconds, fraction = "", zone] = TIME.exec(text) ?? [];
  const ms = seconds === undefined ? NaN : Date.parse(`${seconds}${zone ?? ""}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
}
