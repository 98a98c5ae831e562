import { describe, expect, it } from "vitest";
import { TestRandom } from "../../../core/test-random.ts";
import { HEAD_BYTES_MAX, headerValue, recogniseHead, type PlainHead } from "./recognise-head.ts";

const PLAIN =
  "POST /services/iris/predict HTTP/1.1\r\nHost: a:8000\r\nUser-Agent: x/1 (y; z)\r\n" +
  "Content-Type: application/json\r\nX-Request-ID: r-1\r\nconnection: Keep-Alive\r\nCONTENT-LENGTH: 12\r\n\r\n";

function recognise(text: string, from = 0): PlainHead | "incomplete" | "odd" {
  return recogniseHead(Buffer.from(text, "latin1"), from);
}

/** The plain head with one of its lines replaced. */
function withLine(start: string, line: string): string {
  const lines = PLAIN.split("\r\n");
  expect(lines.some((known) => known.startsWith(start))).toBe(true);
  return lines.map((known) => (known.startsWith(start) ? line : known)).join("\r\n");
}

function withExtra(line: string): string {
  return PLAIN.replace("\r\n\r\n", `\r\n${line}\r\n\r\n`);
}

describe("recogniseHead()", () => {
  it("recogniseHead() reads path, length and listed headers of a plain head, in any case", () => {
    const head = recognise(PLAIN) as PlainHead;
    expect(head).toMatchObject({
      path: "/services/iris/predict",
      contentLength: 12,
      byteLength: PLAIN.length,
    });
    expect(headerValue(head.values, "content-type")).toBe("application/json");
    expect(headerValue(head.values, "x-request-id")).toBe("r-1");
    expect(headerValue(head.values, "prefer")).toBeUndefined();
  });

  it("recogniseHead() begins where it is told and leaves what follows", () => {
    const head = recognise(`xx${PLAIN}{"data": []}POST`, 2) as PlainHead;
    expect(head.byteLength).toBe(PLAIN.length);
  });

  it("recogniseHead() calls every part of a plain head incomplete", () => {
    for (let length = 1; length < PLAIN.length; length++) {
      expect([length, recognise(PLAIN.slice(0, length))]).toEqual([length, "incomplete"]);
    }
  });

  it.each([
    ["another method", withLine("POST", "GET /predict HTTP/1.1")],
    ["a method in lower case", withLine("POST", "post /predict HTTP/1.1")],
    ["a longer method", withLine("POST", "POSTS /predict HTTP/1.1")],
    ["an absolute URI", withLine("POST", "POST http://a/predict HTTP/1.1")],
    ["an asterisk", withLine("POST", "POST * HTTP/1.1")],
    ["a query", withLine("POST", "POST /predict?x=1 HTTP/1.1")],
    ["an encoded path", withLine("POST", "POST /services/%69ris/predict HTTP/1.1")],
    ["two spaces before the path", withLine("POST", "POST  /predict HTTP/1.1")],
    ["HTTP/1.0", withLine("POST", "POST /predict HTTP/1.0")],
    ["no version", withLine("POST", "POST /predict")],
    ["no host", withLine("Host", "X-Host: a")],
    ["two hosts", withExtra("Host: a:8000")],
    ["no length", withLine("CONTENT-LENGTH", "X-Length: 12")],
    ["a length of 0", withLine("CONTENT-LENGTH", "Content-Length: 0")],
    ["two lengths", withExtra("content-length: 12")],
    ["a list of lengths", withLine("CONTENT-LENGTH", "Content-Length: 12, 12")],
    ["a signed length", withLine("CONTENT-LENGTH", "Content-Length: +12")],
    ["a hexadecimal length", withLine("CONTENT-LENGTH", "Content-Length: 0x1")],
    ["a length no double counts", withLine("CONTENT-LENGTH", `Content-Length: ${"1".repeat(16)}`)],
    ["chunks", withExtra("Transfer-Encoding: chunked")],
    ["chunks in capitals", withExtra("TRANSFER-ENCODING: CHUNKED")],
    ["an expectation", withExtra("Expect: 100-continue")],
    ["an upgrade", withExtra("Upgrade: h2c")],
    ["a web page's origin", withExtra("Origin: http://a")],
    ["the end of the connection", withLine("connection", "Connection: close")],
    ["connection options", withLine("connection", "Connection: keep-alive, x")],
    ["a listed header twice", withExtra("x-request-id: r-2")],
    ["a folded line", withExtra("x-a: 1\r\n  2")],
    ["a tab", withExtra("x-a: 1\t2")],
    ["a NUL", withExtra("x-a: 1\x002")],
    ["DEL", withExtra("x-a: 1\x7f2")],
    ["a byte above ASCII", withExtra("x-a: \xe9")],
    ["a bare LF", withExtra("x-a: 1\nx-b: 2")],
    ["a bare CR", withExtra("x-a: 1\rx-b: 2")],
    ["no space after the colon", withExtra("x-a:1")],
    ["two spaces after the colon", withExtra("x-a:  1")],
    ["a space after the value", withExtra("x-a: 1 ")],
    ["a space before the colon", withExtra("x-a : 1")],
    ["an empty value", withExtra("x-a: ")],
    ["an empty name", withExtra(": 1")],
    ["a name with a space", withExtra("x a: 1")],
    ["a line without a colon", withExtra("x-a")],
    ["a line that begins with CR", withExtra("\rx-a: 1")],
    ["an empty line first", `\r\n${PLAIN}`],
  ])("recogniseHead() calls it odd: %s", (_name, text) => {
    expect(recognise(text)).toBe("odd");
  });

  it.each([
    ["another method", "GET"],
    ["TLS", "\x16\x03\x01"],
    ["a NUL", "POST /predict HTTP/1.1\r\nx: \0"],
    ["a bare LF", "POST /predict HTTP/1.1\n"],
  ])("recogniseHead() does not wait for the end after %s", (_name, text) => {
    expect(recognise(text)).toBe("odd");
  });

  it("recogniseHead() takes a head of HEAD_BYTES_MAX and none above", () => {
    const filler = (bytes: number): string => withExtra(`x-a: ${"y".repeat(bytes)}`);
    const bytes = HEAD_BYTES_MAX - filler(0).length;
    expect(recognise(filler(bytes))).toMatchObject({ byteLength: HEAD_BYTES_MAX });
    expect(recognise(filler(bytes + 1))).toBe("odd");
    expect(recognise(filler(bytes + 1).slice(0, HEAD_BYTES_MAX))).toBe("odd");
    expect(recognise(filler(bytes).slice(0, HEAD_BYTES_MAX - 1))).toBe("incomplete");
  });

  it("recogniseHead() of a damaged head is odd, incomplete, or reads what the bytes say", () => {
    const random = new TestRandom(20_261_121);
    for (let round = 0; round < 3_000; round++) {
      const bytes = Buffer.from(PLAIN, "latin1");
      const at = random.below(bytes.length);
      const value = random.below(256);
      bytes[at] = value;
      const head = recogniseHead(bytes, 0);
      if (typeof head === "string") continue;
      const text = bytes.toString("latin1");
      const length = /content-length: 0*(\d+)\r\n/i.exec(text)?.[1];
      const { path, contentLength, byteLength } = head;
      expect({ seed: random.seed, at, value, path, contentLength, byteLength }).toEqual({
        seed: random.seed,
        at,
        value,
        path: text.split(" ")[1],
        contentLength: Number(length),
        byteLength: PLAIN.length,
      });
    }
  });
});
