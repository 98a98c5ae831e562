import { deflateSync, gzipSync } from "node:zlib";
import type { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { BODY_BYTES_MAX, SECRET } from "./fuzz-server.ts";
import { pickTemplate, type HttpTemplate } from "./http-templates.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { nastyJson } from "./nasty-json.ts";

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  /** Whether it has an end of its own. */
  readonly isFramed: boolean;
}

/** Bytes for a connection, as they go over the wire. */
export interface HttpCase {
  readonly kind: "http";
  readonly bytes: Buffer;
  /** Requests in these bytes; several when they are sent without waiting for replies. */
  readonly requests: readonly HttpRequest[];
  /**
   * Whether each request has an end of its own and so must be answered. If not, the connection may also be closed,
   * and it is not used again.
   */
  readonly isFramed: boolean;
  /** Where the bytes are cut in two that are sent one after the other; 0 is nowhere. */
  readonly cutAt: number;
}

/** Shares of requests in which a part is changed; most have one wrong part, so that they get far. */
const METHOD_SHARE = 0.03;
const PATH_SHARE = 0.1;
const HEADER_SHARE = 0.25;
const BODY_BYTES_SHARE = 0.15;
const ENCODING_SHARE = 0.1;
const CHUNKED_SHARE = 0.15;
const RAW_SHARE = 0.08;
const PIPELINE_SHARE = 0.05;
const CUT_SHARE = 0.1;
const JSON_RATES: readonly [number, ...number[]] = [0, 0.005, 0.02, 0.1, 0.3];

/** Requests sent without waiting for replies, at most. */
const PIPELINE_MAX = 20;

const METHODS: readonly [string, ...string[]] = [
  "GET",
  "POST",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "HEAD",
  "TRACE",
  "QUERY",
  "PROPFIND",
  "get",
  "NOPE",
];

const PATH_PARTS: readonly [string, ...string[]] = [
  "..",
  "%2e%2e",
  "%2f",
  "%00",
  "%zz",
  "%",
  "%ff",
  "%e2%80%ae",
  "__proto__",
  "constructor",
  "toString",
  "stats",
  "0",
  "-1",
  "1e3",
  "99999999999999999999",
  "a".repeat(129),
  "a".repeat(300),
  "a".repeat(17_000),
  "",
  ":",
  "*",
  "?",
  "#",
  "?a=b&a=c",
  "?%",
  ";x=y",
  "~",
  "\xe9",
  "iris:predict",
];

/** Headers that do not change where the request ends. */
const HEADERS: readonly (readonly [name: string, values: readonly [string, ...string[]]])[] = [
  [
    "content-type",
    [
      "application/json",
      "application/json; charset=latin1",
      "text/csv",
      "text/plain",
      "image/png",
      "multipart/form-data; boundary=x",
      "application/octet-stream",
      ";",
      "",
      "a/b/c",
      "x".repeat(4_000),
    ],
  ],
  ["content-encoding", ["gzip", "deflate", "br", "identity", "gzip, gzip", "", "GZIP", "x-gzip"]],
  ["accept-encoding", ["gzip", "deflate", "br", "*", "gzip;q=0", "identity;q=0", "\xff"]],
  [
    "inference-header-content-length",
    ["0", "1", "-1", "99999999999", "1e3", "0x10", "", " 5", "5, 5", "18446744073709551616", "NaN"],
  ],
  [
    "x-request-timeout",
    ["1ms", "0s", "-1s", "2", "1e9s", "99999999999999999999h", "", "5 s", "1s1s", "NaNms"],
  ],
  ["x-request-id", ["", "a b", "x".repeat(129), "${jndi:x}", "\xe9", "ok-1"]],
  ["prefer", ["respond-async", "respond-async, wait=10", "return=minimal", ""]],
  ["authorization", ["", "Bearer", "Bearer wrong", "Basic YTpi", `bearer ${SECRET}`, "\xff"]],
  ["origin", ["http://evil.example", "null", ""]],
  ["traceparent", ["00-" + "0".repeat(32) + "-" + "0".repeat(16) + "-01", "x"]],
  ["idempotency-key", ["k", "", "x".repeat(1_000)]],
  ["accept", ["*/*", "text/html", "application/x", ""]],
  ["cookie", ["a=b; ".repeat(200)]],
  ["range", ["bytes=0-1,2-3"]],
  ["__proto__", ["1"]],
  ["x-".repeat(100), ["v".repeat(9_000)]],
];

/** Headers with which the request may have no end, or another one. */
const FRAMING_HEADERS: readonly [string, ...string[]] = [
  "content-length: 0",
  "content-length: 99999999999999999999",
  "content-length: -1",
  "content-length: 1, 1",
  "transfer-encoding: chunked",
  "transfer-encoding: gzip, chunked",
  "transfer-encoding: identity",
  "Transfer-Encoding : chunked",
  "connection: close",
  "connection: upgrade\r\nupgrade: h2c",
  "connection: upgrade\r\nupgrade: websocket",
  "expect: 100-continue",
  "expect: something",
  "host: other",
  "x: \0",
  ": no name",
  "no colon",
  " folded",
  "x: a\nb",
  "te: trailers",
];

export function makeHttpCase(random: TestRandom): HttpCase {
  const share = random.next();
  if (share < PIPELINE_SHARE) return makePipeline(random);
  const { request, bytes } = makeRequest(random, share < PIPELINE_SHARE + RAW_SHARE);
  return {
    kind: "http",
    bytes,
    requests: [request],
    isFramed: request.isFramed,
    cutAt: cut(random, bytes),
  };
}

function makePipeline(random: TestRandom): HttpCase {
  const length = 2 + random.below(PIPELINE_MAX - 1);
  const made = Array.from({ length }, () => makeRequest(random, false)).filter(
    ({ request }) => request.isFramed,
  );
  if (made.length === 0) return makePipeline(random);
  const bytes = Buffer.concat(made.map((each) => each.bytes));
  const requests = made.map(({ request }) => request);
  return { kind: "http", bytes, requests, isFramed: true, cutAt: cut(random, bytes) };
}

function cut(random: TestRandom, bytes: Buffer): number {
  return random.next() < CUT_SHARE ? random.below(bytes.length) : 0;
}

function makeRequest(random: TestRandom, isRaw: boolean): { request: HttpRequest; bytes: Buffer } {
  const template = pickTemplate(random);
  const method = random.next() < METHOD_SHARE ? random.pick(METHODS) : template.method;
  const path = random.next() < PATH_SHARE ? nastyPath(random, template.path) : template.path;
  const lines = [`authorization: Bearer ${SECRET}`];
  const body = makeBody(random, template, lines);
  for (let share = HEADER_SHARE; random.next() < share; share /= 2) {
    const [name, values] = HEADERS[random.below(HEADERS.length)] ?? ["x", ["y"]];
    putHeader(lines, name, random.pick(values));
  }
  const framed = frame(random, body, lines);
  let version = "1.1";
  const isStrange = isRaw && random.below(3) === 0;
  if (isStrange) {
    lines.splice(random.below(lines.length + 1), 0, random.pick(FRAMING_HEADERS));
    version = random.pick(["1.1", "1.1", "1.0", "2.0", "0.9", "1.10", "x"]);
  }
  const head = `${method} ${path} HTTP/${version}\r\nhost: localhost\r\n${lines.join("\r\n")}\r\n\r\n`;
  const bytes = Buffer.concat([Buffer.from(head, "latin1"), framed]);
  return {
    request: { method, path, isFramed: !isRaw && !/[\s#]/.test(path) },
    bytes: isRaw && !isStrange ? mutateBytes(random, bytes) : bytes,
  };
}

function nastyPath(random: TestRandom, path: string): string {
  const parts = path.split("/");
  const at = 1 + random.below(parts.length);
  if (random.below(2) === 0) parts.splice(at, 1, random.pick(PATH_PARTS));
  else parts.splice(at, 0, random.pick(PATH_PARTS));
  return parts.join("/");
}

/** A second one of the same name stays in half of the cases where that says nothing about the end. */
function putHeader(lines: string[], name: string, value: string): void {
  const at = lines.findIndex((line) => line.startsWith(`${name}:`));
  if (at >= 0) lines.splice(at, 1);
  lines.push(`${name}: ${value}`);
}

/** The body's bytes; headers that it needs go to `lines`. */
function makeBody(
  random: TestRandom,
  { body, text, tensors, contentType }: HttpTemplate,
  lines: string[],
): Buffer {
  if (contentType !== undefined) putHeader(lines, "content-type", contentType);
  if (body === undefined && text === undefined) {
    return random.below(20) === 0 ? Buffer.from("unexpected") : Buffer.alloc(0);
  }
  const json =
    body === undefined ? "" : nastyJson(random, body, random.pick(JSON_RATES)).slice(0, JSON_MAX);
  if (tensors !== undefined) {
    putHeader(lines, "inference-header-content-length", String(json.length));
  }
  let bytes: Buffer = Buffer.concat([
    Buffer.from(json, "latin1"),
    Buffer.from(text ?? "", "latin1"),
    tensors ?? Buffer.alloc(0),
  ]);
  if (random.next() < BODY_BYTES_SHARE) bytes = mutateBytes(random, bytes);
  if (random.below(200) === 0) {
    const target = BODY_BYTES_MAX + random.pick([-1, 0, 1, 1_000]);
    bytes = Buffer.concat([bytes, Buffer.alloc(Math.max(0, target - bytes.length), " ")]);
  }
  return random.next() < ENCODING_SHARE ? encode(random, bytes, lines) : bytes;
}

/** What one request has of JSON at most: twice what the server takes. */
const JSON_MAX = 2 * BODY_BYTES_MAX;

function encode(random: TestRandom, bytes: Buffer, lines: string[]): Buffer {
  const isGzip = random.below(2) === 0;
  putHeader(lines, "content-encoding", isGzip ? "gzip" : "deflate");
  const isBomb = random.below(50) === 0;
  const plain = isBomb ? Buffer.alloc(BODY_BYTES_MAX * 40, " ") : bytes;
  const packed = isGzip ? gzipSync(plain) : deflateSync(plain);
  switch (random.below(5)) {
    case 0:
      return mutateBytes(random, packed);
    case 1:
      return packed.subarray(0, random.below(packed.length));
    case 2:
      return Buffer.concat([packed, packed]);
    default:
      return packed;
  }
}

/** Gives the body its end: a length, or chunks of any sizes. */
function frame(random: TestRandom, body: Buffer, lines: string[]): Buffer {
  if (random.next() >= CHUNKED_SHARE || body.length === 0) {
    lines.push(`content-length: ${body.length}`);
    return body;
  }
  lines.push("transfer-encoding: chunked");
  const chunks: Buffer[] = [];
  const extension = random.below(4) === 0 ? ';name="value"' : "";
  const largest = random.pick([1, 6, 100, 65_536]);
  // Small chunks of a large body would only take time: the tests for those are in chunks.test.ts.
  const least = Math.ceil(body.length / 2_000);
  for (let at = 0; at < body.length;) {
    const chunk = body.subarray(at, at + least + random.below(largest));
    at += chunk.length;
    chunks.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk, CRLF);
  }
  const trailer = random.below(8) === 0 ? "x-trailer: 1\r\n" : "";
  return Buffer.concat([...chunks, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

const CRLF = Buffer.from("\r\n");
