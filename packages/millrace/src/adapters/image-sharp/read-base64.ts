export type Base64Reading =
  | { readonly kind: "bytes"; readonly bytes: Buffer }
  /** What stands there instead, for a message: `text that is not base64`. */
  | { readonly kind: "unreadable"; readonly found: string };

/** Longest `data:image/png;base64,` that is looked for. */
const PREFIX_LENGTH_MAX = 128;

/** Characters that hold the first bytes of a picture, with room for a line break or two. */
const HEAD_LENGTH = 80;

/**
 * Reads base64 (RFC 4648): standard or URL-safe, padded or not, with white space anywhere, behind
 * `data:image/…;base64,` or not.
 */
export function readBase64(text: string): Base64Reading {
  const start = skipPrefix(text);
  if (start === undefined) {
    return unreadable('a data URL of another form than "data:image/…;base64,…"');
  }
  const bytes = Buffer.from(text.slice(start), "base64");
  // Node skips what is no base64, so that less comes out than the length promises. White space is counted only
  // when it does: few texts have any, and counting costs as much as decoding.
  const isExact =
    bytes.length === bytesOf(lengthWithoutPadding(text, start)) ||
    bytes.length === bytesOf(lengthWithoutSpace(text, start));
  return isExact ? { kind: "bytes", bytes } : unreadable("text that is not base64");
}

/** @returns the first bytes, at most 60, read leniently: to see what they may be before more is done. */
export function readBase64Head(text: string): Buffer {
  let start = skipPrefix(text) ?? 0;
  while (start < text.length && isSpace(text.charCodeAt(start))) start++;
  return Buffer.from(text.slice(start, start + HEAD_LENGTH), "base64");
}

/** @returns where the base64 starts; undefined when a prefix is there and is not one of a picture in base64. */
function skipPrefix(text: string): number | undefined {
  if (text.slice(0, 5).toLowerCase() !== "data:") return 0;
  const prefix = text.slice(0, PREFIX_LENGTH_MAX);
  const comma = prefix.indexOf(",");
  const isImage = /^data:image\/[\w.+-]+(;[\w.+-]+=[\w.+-]+)*;base64$/i.test(
    prefix.slice(0, Math.max(comma, 0)),
  );
  return isImage ? comma + 1 : undefined;
}

function lengthWithoutPadding(text: string, start: number): number {
  let end = text.length;
  const endMin = Math.max(start, end - 2);
  while (end > endMin && text.charCodeAt(end - 1) === PADDING) end--;
  return end - start;
}

function lengthWithoutSpace(text: string, start: number): number {
  let length = 0;
  let paddingLength = 0;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isSpace(code)) continue;
    if (code === PADDING) paddingLength++;
    else {
      length += paddingLength + 1; // what is between padding and the end is none
      paddingLength = 0;
    }
  }
  return length + Math.max(0, paddingLength - 2);
}

const PADDING = 0x3d;

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** @returns the bytes that so many characters hold; −1 when no bytes have so many. */
function bytesOf(length: number): number {
  return length % 4 === 1 ? -1 : Math.floor((length * 3) / 4);
}

function unreadable(found: string): Base64Reading {
  return { kind: "unreadable", found };
}
