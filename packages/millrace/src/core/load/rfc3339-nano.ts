/** Unix time in ns as RFC 3339 in UTC, with as many decimals of a second as it takes: `2026-03-01T12:00:00.000000001Z`. */
export function rfc3339Nano(unixNs: bigint): string {
  const rest = ((unixNs % SECOND_NS) + SECOND_NS) % SECOND_NS;
  const whole = new Date(Number((unixNs - rest) / 1_000_000n)).toISOString().slice(0, 19);
  const decimals = rest.toString().padStart(9, "0").replace(/0+$/, "");
  return decimals === "" ? `${whole}Z` : `${whole}.${decimals}Z`;
}

const SECOND_NS = 1_000_000_000n;
