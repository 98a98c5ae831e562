/** Leading digits of the random half of an id that decide: 48 bits, which a double counts exactly. */
const DIGITS = 12;
const RANGE = 2 ** 48;

/**
 * Is a trace that begins here to be recorded? It follows from the id alone: whoever else goes by the same share and the
 * same digits decides the same.
 * @param traceId 32 hexadecimal digits; the last 14 are those that the standard calls random.
 * @param share 0 to 1.
 */
export function isSampled(traceId: string, share: number): boolean {
  if (share >= 1) return true;
  if (share <= 0) return false;
  return Number.parseInt(traceId.slice(-DIGITS), 16) < share * RANGE;
}
