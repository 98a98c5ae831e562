import { describe, expect, it } from "vitest";
import { Http1Reply, type ReplyState } from "./http1-reply.ts";

const OK = "HTTP/1.1 200 OK\r\n";

interface Read {
  readonly reply: Http1Reply;
  readonly state: ReplyState;
}

/** Reads pieces one after the other, as far as they are needed. */
function read(pieces: readonly string[], isHead = false): Read {
  const reply = new Http1Reply();
  reply.begin(isHead);
  let state: ReplyState = "more";
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, "latin1");
    if (state !== "broken") state = reply.read(bytes, bytes.length);
  }
  return { reply, state };
}

describe("Http1Reply", () => {
  it("read() knows the end by content-length, however its name is written", () => {
    const { reply, state } = read([`${OK}CONTENT-Length: \t 5 \r\n\r\nhello`]);
    expect([state, reply.head.status, reply.bodyBytes, reply.head.isKeptAlive]).toEqual([
      "done",
      200,
      5,
      true,
    ]);
  });

  const whole =
    `HTTP/1.1 100 Continue\r\nx: y\r\n\r\n${OK}Date: now\r\nTransfer-Encoding: gzip, Chunked\r\n` +
    `Keep-Alive: timeout=5, max=9\r\n\r\n4;name=value\r\nWiki\r\n00A \r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n`;

  it("read() reads the same answer in whatever two pieces it comes", () => {
    for (let cut = 1; cut < whole.length; cut++) {
      const { reply, state } = read([whole.slice(0, cut), whole.slice(cut)]);
      const { status, isKeptAlive, idleMsMax } = reply.head;
      expect([cut, state, status, reply.bodyBytes, isKeptAlive, idleMsMax]).toEqual([
        cut,
        "done",
        200,
        14,
        true,
        5000,
      ]);
    }
  });

  it("read() reads an answer that comes byte by byte, and says that more is to come until the last one", () => {
    const states = Array.from(whole, (_, i) => read(whole.slice(0, i + 1).split("")).state);
    expect(states.indexOf("done")).toBe(whole.length - 1);
    expect(new Set(states)).toEqual(new Set(["more", "done"]));
  });

  it("read() takes lines that end without CR", () => {
    expect(read(["HTTP/1.1 200\nContent-Length: 2\n\nok"]).state).toBe("done");
  });

  it.each([
    ["HEAD", `${OK}Content-Length: 10\r\n\r\n`, true],
    ["204", "HTTP/1.1 204 No Content\r\n\r\n", false],
    ["304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", false],
    ["length 0", `${OK}Content-Length: 0\r\n\r\n`, false],
  ])("read() expects no body after %s", (_, text, isHead) => {
    const { reply, state } = read([text], isHead);
    expect([state, reply.bodyBytes]).toEqual(["done", 0]);
  });

  it("end() ends a body without a length, and nothing else", () => {
    const { reply, state } = read([`${OK}x: y\r\n\r\nabc`, "def"]);
    expect([state, reply.end(), reply.bodyBytes, reply.head.isKeptAlive]).toEqual([
      "more",
      "done",
      6,
      false,
    ]);
    expect(read([`${OK}Content-Length: 9\r\n\r\nabc`]).reply.end()).toBe("more");
    expect(read([`${OK}x: y`]).reply.end()).toBe("more");
  });

  it.each([
    ["HTTP/1.1", "Connection: close", false],
    ["HTTP/1.1", "connection: Upgrade , CLOSE", false],
    ["HTTP/1.1", "Connection: Upgrade", true],
    ["HTTP/1.1", "X: close", true],
    ["HTTP/1.0", "Connection: Keep-Alive", true],
    ["HTTP/1.0", "Connection: x, keep-alive", true],
    ["HTTP/1.0", "X: keep-alive", false],
  ])("read() says whether the connection stays: %s with %s: %s", (version, header, isKept) => {
    const { reply } = read([`${version} 200 OK\r\n${header}\r\nContent-Length: 0\r\n\r\n`]);
    expect(reply.head.isKeptAlive).toBe(isKept);
  });

  it.each([
    ["no HTTP/1.1", "SSH-2.0-OpenSSH_9.6\r\n"],
    ["no HTTP/1.1", "HTTP/2 200 OK\r\n"],
    ["no HTTP/1.1", "HTTP/1.1 20x OK\r\n"],
    ["no HTTP/1.1", "HTTP/1.1 099 OK\r\n"],
    ["101", "HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ["content-length", `${OK}Content-Length: -1\r\n\r\n`],
    ["content-length", `${OK}Content-Length:\r\n\r\n`],
    ["content-length", `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`],
    ["content-length", `${OK}Content-Length: 9999999999999999\r\n\r\n`],
    ["size of a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`],
    ["size of a chunk", `${OK}Transfer-Encoding: chunked\r\n\r\n\r\n`],
    ["longer than its size", `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n`],
    ["more came", `${OK}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n`],
    ["more came", `HTTP/1.1 204 No Content\r\n\r\nsurplus`],
    ["head is longer than 65536", `${OK}x: ${"y".repeat(65_536)}\r\n`],
    ["head is longer than 65536", `${OK}${"name: value\r\n".repeat(6000)}`],
    ["head is longer than 65536", "HTTP/1.1 100 Continue\r\n\r\n".repeat(3000)],
  ])("read() breaks with %s", (problem, text) => {
    const inOne = read([text]);
    const inPieces = read(text.match(/[^]{1,1000}/g) ?? []);
    for (const { reply, state } of [inOne, inPieces]) {
      expect(state).toBe("broken");
      expect(reply.problem).toContain(problem);
    }
  });

  it("read() leaves a length aside that stands beside chunks", () => {
    for (const lines of [
      "Content-Length: 3\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: chunked\r\nContent-Length: 3",
    ]) {
      const { reply, state } = read([`${OK}${lines}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`]);
      expect([state, reply.bodyBytes]).toEqual(["done", 5]);
    }
  });

  it("begin() makes place for the next answer", () => {
    const reply = new Http1Reply();
    for (const [text, status, bodyBytes] of [
      ["HTTP/1.0 500 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc", 500, 3],
      [`${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 200, 0],
      [`${OK}Content-Length: 1\r\n\r\nx`, 200, 1],
    ] as const) {
      reply.begin(false);
      expect(reply.read(Buffer.from(text), text.length)).toBe("done");
      expect([reply.head.status, reply.bodyBytes]).toEqual([status, bodyBytes]);
    }
    expect(reply.head.isKeptAlive).toBe(true);
  });
});
