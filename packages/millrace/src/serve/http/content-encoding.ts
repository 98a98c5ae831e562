import { promisify } from "node:util";
import { deflate, gunzip, gzip, inflate, type InputType, type ZlibOptions } from "node:zlib";
import { MillraceError } from "../../core/errors.ts";
import type { Answer, Exchange } from "./exchange.ts";

type Transform = (bytes: InputType, options: ZlibOptions) => Promise<Buffer>;

interface Coding {
  readonly decode: Transform;
  readonly encode: Transform;
}

/** Of the protocol's two; `deflate` is the zlib format. They work on the thread pool, never on the event loop. */
const CODINGS: Readonly<Record<string, Coding>> = {
  gzip: { decode: promisify(gunzip), encode: promisify(gzip) },
  deflate: { decode: promisify(inflate), encode: promisify(deflate) },
};

/** Replies up to this size fit one packet or so: compressing them costs more than it saves. */
const REPLY_BYTES_MIN = 1_024;

/** Speed before size: higher levels take several times as long for a few percent of floating-point numbers. */
const REPLY_LEVEL = 1;

/**
 * The body of a request, decoded when `content-encoding` says so.
 * @returns the bytes themselves when nothing is encoded, else a promise of them.
 * @throws UNSUPPORTED_MEDIA_TYPE for an unknown coding, BODY_TOO_LARGE when it decodes to more than
 * `bodyBytesMax`, INVALID_BODY when it is damaged or cut off.
 */
export function readBody(
  exchange: Pick<Exchange, "header" | "body" | "bodyBytesMax">,
): Uint8Array | Promise<Uint8Array> {
  const encoding = exchange.header("content-encoding");
  if (encoding === undefined) return exchange.body;
  const name = encoding.trim().toLowerCase();
  if (name === "identity" || name === "") return exchange.body;
  const coding = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined;
  if (coding === undefined) throw unsupported(encoding);
  return decode(exchange.body, name, coding, exchange.bodyBytesMax);
}

async function decode(
  body: Uint8Array,
  name: string,
  coding: Coding,
  bodyBytesMax: number,
): Promise<Uint8Array> {
  try {
    return await coding.decode(body, { maxOutputLength: bodyBytesMax });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      const message = `the body decodes to more than ${bodyBytesMax} bytes, the limit of server.bodyMax`;
      throw new MillraceError("BODY_TOO_LARGE", `Cannot read the body: ${message}`, {
        problems: [{ location: ["body"], message, type: "size" }],
      });
    }
    const message = `it is not ${name} as content-encoding says, or it is cut off`;
    throw new MillraceError("INVALID_BODY", `Cannot read the body: ${message}`, {
      problems: [{ location: ["body"], message, type: "encoding" }],
      cause: error,
    });
  }
}

function unsupported(encoding: string): MillraceError {
  const known = Object.keys(CODINGS).join(" or ");
  const message = `content-encoding is ${JSON.stringify(encoding)}, expected ${known}`;
  return new MillraceError("UNSUPPORTED_MEDIA_TYPE", `Cannot read the body: ${message}`, {
    problems: [{ location: ["header", "content-encoding"], message, type: "media_type" }],
  });
}

/**
 * An answer, compressed when the client asks for it: its `accept-encoding` is exactly one coding. A list is what
 * libraries send by themselves; compressing for each of them would cost more time than a near network takes.
 */
export function encodeAnswer(
  answer: Answer,
  acceptEncoding: string | undefined,
): Answer | Promise<Answer> {
  if (acceptEncoding === undefined || !Object.hasOwn(CODINGS, acceptEncoding)) return answer;
  if (answer.body.length < REPLY_BYTES_MIN) return answer;
  return encode(answer, acceptEncoding);
}

async function encode(answer: Answer, name: string): Promise<Answer> {
  const { status, headers, body } = answer;
  const encoded = await (CODINGS[name] as Coding).encode(body, { level: REPLY_LEVEL });
  const encoding = ["content-encoding", name] as const;
  return { status, headers: [...headers, encoding, ["vary", "accept-encoding"]], body: encoded };
}
