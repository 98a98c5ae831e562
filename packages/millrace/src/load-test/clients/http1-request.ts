import { validateHeaderName, validateHeaderValue } from "node:http";
import { LoadInputError } from "../load-input-error.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import type { Start } from "./load-client.ts";

/** Said for the body here, whatever a target says of it. */
const FRAMING = new Set(["content-length", "transfer-encoding"]);
/** Methods whose servers expect to hear of an empty body. */
const WITH_BODY = new Set(["POST", "PUT", "PATCH"]);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEAD_END = "\r\n\r\n";

export interface Http1RequestOptions {
  /** The connection is used again. */
  readonly keepAlive: boolean;
  /** It is sent more than once: what is the same each time is kept. */
  readonly isRepeated: boolean;
  bodyOf(start: Start): Uint8Array;
}

/** The bytes of a target's requests. */
export class Http1Request {
  readonly isHead: boolean;
  /** Of the request that was written last. */
  bodyBytes = 0;
  readonly #options: Http1RequestOptions;
  /** Up to the length of the body. */
  readonly #head: Buffer;
  readonly #hasBody: boolean;
  /** Head and body where every request has the same. */
  readonly #whole: Buffer | undefined;

  /** @throws LoadInputError when it cannot be sent as HTTP/1.1. */
  constructor(target: LoadTarget, options: Http1RequestOptions) {
    this.#options = options;
    this.isHead = target.method === "HEAD";
    this.#hasBody = target.body.length > 0 || WITH_BODY.has(target.method);
    this.#head = Buffer.from(headOf(target, options.keepAlive), "latin1");
    const isFixed = target.body.every((part) => part.kind === "bytes");
    if (isFixed && options.isRepeated) this.#whole = this.#write(joined(target));
  }

  /** @returns never written to again. */
  bytesOf(start: Start): Buffer {
    return this.#whole ?? this.#write(this.#options.bodyOf(start));
  }

  #write(body: Uint8Array): Buffer {
    this.bodyBytes = body.length;
    const length = this.#hasBody ? `\r\ncontent-length: ${body.length}${HEAD_END}` : HEAD_END;
    const bytes = Buffer.allocUnsafe(this.#head.length + length.length + body.length);
    this.#head.copy(bytes);
    bytes.write(length, this.#head.length, "latin1");
    bytes.set(body, this.#head.length + length.length);
    return bytes;
  }
}

function joined({ body }: LoadTarget): Uint8Array {
  return Buffer.concat(body.map((part) => (part.kind === "bytes" ? part.bytes : NO_BYTES)));
}

const NO_BYTES = new Uint8Array(0);

/** Without the end of its last line. */
function headOf(target: LoadTarget, keepAlive: boolean): string {
  const { method, url, headers } = target;
  const { pathname, search, host, username, password } = new URL(url);
  if (!TOKEN.test(method)) throw refused(target, `its method is ${JSON.stringify(method)}`);
  const sent = headers.filter(([name]) => !FRAMING.has(name.toLowerCase()));
  const names = new Set(sent.map(([name]) => name.toLowerCase()));
  const lines = sent.map(([name, value]) => headerLine(target, name, value));
  if (!names.has("user-agent")) lines.push("user-agent: millrace");
  if (!keepAlive && !names.has("connection")) lines.push("connection: close");
  if (username !== "" && !names.has("authorization")) {
    const secret = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    lines.push(`authorization: Basic ${Buffer.from(secret).toString("base64")}`);
  }
  if (!names.has("host")) lines.unshift(`host: ${host}`);
  return [`${method} ${pathname}${search} HTTP/1.1`, ...lines].join("\r\n");
}

function headerLine(target: LoadTarget, name: string, value: string): string {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch (error) {
    throw refused(target, (error as Error).message);
  }
  return `${name}: ${value}`;
}

function refused({ method, url }: LoadTarget, why: string): LoadInputError {
  return new LoadInputError(`Cannot send ${method} ${url}: ${why}`);
}
