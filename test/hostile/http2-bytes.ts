import type { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { mutateBytes } from "./mutate-bytes.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

const DATA = 0;
const HEADERS = 1;
const SETTINGS = 4;
const WINDOW_UPDATE = 8;
const CONTINUATION = 9;

const END_STREAM = 1;
const END_HEADERS = 4;

/** Share of connections whose bytes are changed after the frames are made. */
const BYTES_SHARE = 0.4;

/** A whole connection with one call and a few frames that do not belong there. */
export function http2Bytes(
  random: TestRandom,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Buffer {
  const frames = [
    frame(SETTINGS, 0, 0, Buffer.alloc(0)),
    frame(HEADERS, END_HEADERS, 1, literalHeaders(headers)),
    frame(DATA, END_STREAM, 1, body),
  ];
  for (let count = random.below(4); count > 0; count--) {
    const extra = strangeFrames(random, headers);
    frames.splice(random.below(frames.length + 1), 0, ...extra);
  }
  const bytes = Buffer.concat([PREFACE, ...frames]);
  return random.next() < BYTES_SHARE ? mutateBytes(random, bytes) : bytes;
}

function strangeFrames(random: TestRandom, headers: Readonly<Record<string, string>>): Buffer[] {
  const stream = random.pick([0, 1, 2, 3, 5, 0x7fffffff]);
  const payload = Buffer.alloc(random.pick([0, 1, 4, 5, 6, 8, 17]), random.below(256));
  switch (random.below(7)) {
    case 0: // headers that never end
      return [
        frame(HEADERS, 0, 3, literalHeaders(headers)),
        ...Array.from({ length: random.pick([1, 10, 100]) }, () =>
          frame(CONTINUATION, 0, 3, literalHeaders({ "x-more": "y" })),
        ),
      ];
    case 1: // open and reset, again and again
      return Array.from({ length: random.pick([1, 10, 200]) }, (_, i) =>
        Buffer.concat([
          frame(HEADERS, END_HEADERS, 11 + 2 * i, literalHeaders(headers)),
          frame(3, 0, 11 + 2 * i, Buffer.from([0, 0, 0, 8])),
        ]),
      );
    case 2:
      return Array.from({ length: random.pick([1, 10, 500]) }, () =>
        frame(6, 0, 0, Buffer.alloc(8)),
      );
    case 3: {
      const setting = Buffer.alloc(6);
      setting.writeUInt16BE(random.below(10), 0);
      setting.writeUInt32BE(random.pick([0, 1, 16_383, 0x7fffffff, 0xffffffff]), 2);
      return Array.from({ length: random.pick([1, 50]) }, () => frame(SETTINGS, 0, 0, setting));
    }
    case 4: {
      const increment = Buffer.alloc(4);
      increment.writeUInt32BE(random.pick([0, 1, 0x7fffffff, 0xffffffff]));
      return [frame(WINDOW_UPDATE, 0, stream, increment)];
    }
    case 5: // a length that is not the payload's
      return [
        withLength(
          frame(random.below(12), random.below(256), stream, payload),
          random.pick([0, 1e7]),
        ),
      ];
    default:
      return [frame(random.below(256), random.below(256), stream, payload)];
  }
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** The same frame with a lie about its payload. */
function withLength(bytes: Buffer, length: number): Buffer {
  bytes.writeUIntBE(length, 0, 3);
  return bytes;
}

/** Headers in HPACK's plainest form: literal, without a table and without Huffman's code. */
function literalHeaders(headers: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(headers).flatMap(([name, value]) => [
    Buffer.from([0]),
    hpackText(name),
    hpackText(value),
  ]);
  return Buffer.concat(parts);
}

function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest > 127; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
