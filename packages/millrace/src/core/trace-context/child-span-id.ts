/**
 * Id of a span inside another one. It follows from the two, so that a step which calls another server can name its span
 * before there is one, and spans made afterwards, from what was recorded, get the same ids; nothing has to be kept or
 * drawn. For one parent, different ordinals give different ids; for random parents, random ones.
 * @param spanId of the request's own span, 16 hexadecimal digits.
 * @param ordinal from 0, below 2 ** 32.
 */
export function childSpanId(spanId: string, ordinal: number): string {
  const parentHigh = Number.parseInt(spanId.slice(0, 8), 16);
  const parentLow = Number.parseInt(spanId.slice(8), 16);
  // Each step can be undone, so nothing falls together: the low half tells the ordinals apart, the high half the rest.
  const low = mixed(parentLow + Math.imul(ordinal + 1, GOLDEN_RATIO));
  const high = mixed(parentHigh ^ low);
  return low === 0 && high === 0 ? FIRST : hex(high) + hex(low);
}

/** 2 ** 32 divided by the golden ratio, odd: its multiples are far apart. */
const GOLDEN_RATIO = 0x9e3779b9;

/** All zeros mean no span. */
const FIRST = "0000000000000001";

/** Every bit of a 32-bit number decides about every bit of what it becomes: the end of MurmurHash3. */
function mixed(number: number): number {
  let bits = number | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

function hex(number: number): string {
  return number.toString(16).padStart(8, "0");
}
