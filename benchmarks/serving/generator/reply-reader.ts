/** One answer read so far: how many bytes it has in all, and its status. */
export interface ReplyHead {
  readonly status: number;
  readonly bytes: number;
}

const HEAD_END = "\r\n\r\n";
const LOWER_CASE = 0x20;
const LF = 0x0a;
const COLON = 0x3a;
const SPACE = 0x20;
const [ZERO, NINE] = [0x30, 0x39];
const [C, L, E] = [0x63, 0x6c, 0x65];
const NAME_BYTES = "content-length".length;

/**
 * Reads as little of an answer as it takes to know where it ends.
 * @returns undefined while the head is not there as a whole.
 * @throws when the head names no length: chunked answers are nothing a benchmark peer here sends.
 */
export function readReplyHead(bytes: Buffer, end: number): ReplyHead | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd === -1 || headEnd > end - HEAD_END.length) return undefined;
  for (let lf = bytes.indexOf(LF); lf < headEnd; lf = bytes.indexOf(LF, lf + 1)) {
    const name = lf + 1;
    const isLength =
      bytes[name + NAME_BYTES] === COLON &&
      ((bytes[name] ?? 0) | LOWER_CASE) === C &&
      ((bytes[name + 8] ?? 0) | LOWER_CASE) === L &&
      ((bytes[name + 9] ?? 0) | LOWER_CASE) === E;
    if (!isLength) continue;
    const length = numberAt(bytes, name + NAME_BYTES + 1);
    return { status: numberAt(bytes, 9), bytes: headEnd + HEAD_END.length + length };
  }
  throw new Error("Cannot read an answer: it has no content-length");
}

function numberAt(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === SPACE) at++;
  let value = 0;
  for (; ; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) return value;
    value = value * 10 + byte - ZERO;
  }
}
