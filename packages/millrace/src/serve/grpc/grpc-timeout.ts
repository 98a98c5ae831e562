import { MillraceError } from "../../core/errors.ts";

/** Units of gRPC's timeout, in milliseconds, by the code of their letter. */
const UNIT_MS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

const DIGITS_MAX = 8;

/**
 * Reads `grpc-timeout`: `250m`, `2S`. Zero has passed already.
 * @returns milliseconds. @throws INVALID_HEADER
 */
export function parseGrpcTimeout(text: string): number {
  const last = text.length - 1;
  const unitMs = UNIT_MS[text.charAt(last)];
  let count = 0;
  for (let i = 0; i < last; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) throw invalid(text);
    count = count * 10 + digit;
  }
  if (unitMs === undefined || last < 1 || last > DIGITS_MAX) throw invalid(text);
  return count * unitMs;
}

function invalid(text: string): MillraceError {
  const message = `found ${JSON.stringify(text.slice(0, 32))}, expected up to ${DIGITS_MAX} digits and a unit: 250m, 2S`;
  return new MillraceError("INVALID_HEADER", `Cannot read header grpc-timeout: ${message}`, {
    problems: [{ location: ["header", "grpc-timeout"], message, type: "duration" }],
  });
}
