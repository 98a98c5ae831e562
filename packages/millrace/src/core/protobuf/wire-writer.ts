/** @returns bytes that `writeVarint` needs for a whole number of 0 to 2^53 − 1. */
export function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) count++;
  return count;
}

/** Writes a whole number of 0 to 2^53 − 1. @returns the offset behind it. */
export function writeVarint(target: Buffer, value: number, offset: number): number {
  let at = offset;
  let rest = value;
  for (; rest >= 0x8000_0000; rest = Math.floor(rest / 0x80)) target[at++] = (rest % 0x80) | 0x80;
  for (; rest >= 0x80; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80;
  target[at++] = rest;
  return at;
}

/** @returns bytes of a length-delimited field with a tag of one byte. */
export function spanBytes(length: number): number {
  return 1 + varintBytes(length) + length;
}

/** Writes the tag and the length of a length-delimited field. @returns where its value goes. */
export function writeSpanHeader(
  target: Buffer,
  tag: number,
  length: number,
  offset: number,
): number {
  target[offset] = tag;
  return writeVarint(target, length, offset + 1);
}
