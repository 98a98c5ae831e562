const ZERO = 0x30;
const NINE = 0x39;
const SPACE = 0x20;
const TAB = 0x09;
/** Makes a letter small; digits, hyphen and blanks stay as they are. */
const SMALL = 0x20;

export function asciiOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Does the word stand there? Letters may be large. */
export function isWord(bytes: Uint8Array, from: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) {
    if ((bytes[from + i]! | SMALL) !== (word[i]! | SMALL)) return false;
  }
  return true;
}

export function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

export function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

export function afterBlanks(bytes: Uint8Array, from: number, to: number): number {
  let start = from;
  while (start < to && isBlank(bytes[start]!)) start++;
  return start;
}

export function beforeBlanks(bytes: Uint8Array, from: number, to: number): number {
  let end = to;
  while (end > from && isBlank(bytes[end - 1]!)) end--;
  return end;
}

/** @returns it trimmed and in small letters. */
export function smallText(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.subarray(from, to)).toString("latin1").trim().toLowerCase();
}

/** @returns −1 unless there are digits, and nothing else. */
export function wholeNumber(bytes: Uint8Array, from: number, to: number): number {
  let value = from < to ? 0 : -1;
  for (let at = from; at < to; at++) {
    if (!isDigit(bytes[at]!)) return -1;
    value = value * 10 + bytes[at]! - ZERO;
  }
  return value;
}

/** @returns −1 unless there are hexadecimal digits, and nothing else. */
export function hexadecimal(bytes: Uint8Array, from: number, to: number): number {
  const text = smallText(bytes, from, to);
  return /^[0-9a-f]+$/.test(text) ? Number.parseInt(text, 16) : -1;
}
