const SPACE = 0x20;
const TAB = 0x09;
const QUOTE = 0x22;

/**
 * The first cookie of that name in a `cookie` header (RFC 6265 §4.2), without quotes around it and otherwise as it
 * stands: what a value is encoded with is its server's own matter. One pass over the header.
 */
export function readCookie(header: string, name: string): string | undefined {
  let start = 0;
  while (start < header.length) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon === -1 ? header.length : semicolon;
    const nameStart = skipBlanks(header, start, end);
    const nameEnd = nameStart + name.length;
    // The sign is looked for first: names longer than the pair would compare with the next one.
    if (nameEnd < end && header[nameEnd] === "=" && header.startsWith(name, nameStart)) {
      return valueBetween(header, nameEnd + 1, end);
    }
    start = end + 1;
  }
  return undefined;
}

function valueBetween(header: string, start: number, end: number): string {
  let from = skipBlanks(header, start, end);
  let to = end;
  while (to > from && isBlank(header.charCodeAt(to - 1))) to--;
  const isQuoted =
    to - from >= 2 && header.charCodeAt(from) === QUOTE && header.charCodeAt(to - 1) === QUOTE;
  if (isQuoted) {
    from++;
    to--;
  }
  return header.slice(from, to);
}

function skipBlanks(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  return at;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
