import { describe, expect, it } from "vitest";
import { LoadInputError } from "../load-input-error.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import { Http1Request } from "./http1-request.ts";
import type { Start } from "./load-client.ts";

const START = { seq: 7, target: 0, intendedMs: 0 };

const OPTIONS = { keepAlive: true, isRepeated: true, bodyOf: () => Buffer.from("own") };

function targetOf(parts: Partial<LoadTarget>): LoadTarget {
  return { method: "GET", url: "http://h.example/", headers: [], body: [], weight: 1, ...parts };
}

function bytes(text: string): LoadTarget["body"] {
  return [{ kind: "bytes", bytes: Buffer.from(text) }];
}

function linesOf(target: Partial<LoadTarget>, keepAlive = true): string[] {
  const request = new Http1Request(targetOf(target), { ...OPTIONS, keepAlive });
  return request.bytesOf(START).toString("latin1").split("\r\n");
}

describe("Http1Request", () => {
  it("bytesOf() is a GET without a body", () => {
    expect(linesOf({ url: "http://h.example:8080/a%20b?c=d#e" })).toEqual([
      "GET /a%20b?c=d HTTP/1.1",
      "host: h.example:8080",
      "user-agent: millrace",
      "",
      "",
    ]);
  });

  it("bytesOf() keeps headers as they are, in their order, but for those the body decides", () => {
    const headers = [
      ["X-Two", "1"],
      ["Host", "other"],
      ["Content-Length", "99"],
      ["x-two", "\u00e9"],
      ["User-Agent", "me"],
      ["Transfer-Encoding", "chunked"],
    ] as const;
    expect(linesOf({ method: "POST", headers, body: bytes('{"a":1}') })).toEqual([
      "POST / HTTP/1.1",
      "X-Two: 1",
      "Host: other",
      "x-two: \u00e9",
      "User-Agent: me",
      "content-length: 7",
      "",
      '{"a":1}',
    ]);
  });

  it("bytesOf() says that a body is empty where servers want to know", () => {
    expect(linesOf({ method: "POST" })).toContain("content-length: 0");
    expect(linesOf({ method: "DELETE" })).not.toContain("content-length: 0");
  });

  it("bytesOf() has the same bytes for every start, unless the body is a template", () => {
    const fixed = new Http1Request(targetOf({ body: bytes("x") }), OPTIONS);
    expect(fixed.bytesOf(START)).toBe(fixed.bytesOf(START));
    expect(fixed.bodyBytes).toBe(1);
    let made = 0;
    const bodyOf = ({ seq }: Start) => Buffer.from(`${seq}`.repeat(++made));
    const target = targetOf({ method: "PUT", body: [{ kind: "seq" }] });
    const each = new Http1Request(target, { ...OPTIONS, bodyOf });
    expect(each.bytesOf(START).toString()).toContain("content-length: 1\r\n\r\n7");
    expect(each.bytesOf(START).toString()).toContain("content-length: 2\r\n\r\n77");
    expect(each.bodyBytes).toBe(2);
  });

  it("bytesOf() keeps nothing of a request that is sent once", () => {
    const target = targetOf({ body: bytes("own") });
    const once = new Http1Request(target, { ...OPTIONS, isRepeated: false });
    const first = once.bytesOf(START);
    expect(first.toString()).toMatch(/content-length: 3\r\n\r\nown$/);
    expect(once.bytesOf(START)).not.toBe(first);
  });

  it("bytesOf() asks to close where connections are not kept", () => {
    expect(linesOf({}, false)).toContain("connection: close");
  });

  it("bytesOf() turns a name and a password of the URL into a header", () => {
    expect(linesOf({ url: "http://a%40b:c@h.example/" })).toContain(
      `authorization: Basic ${Buffer.from("a@b:c").toString("base64")}`,
    );
  });

  it.each([
    [{ method: "GET /x" }, "method"],
    [{ headers: [["a b", "c"]] as const }, "a b"],
    [{ headers: [["x", "c\r\ny: z"]] as const }, "Invalid character"],
    [{ headers: [["x", "\u20ac"]] as const }, "Invalid character"],
  ])("constructor() refuses what would break out of the head: %j", (parts, why) => {
    expect(() => linesOf(parts)).toThrow(LoadInputError);
    expect(() => linesOf(parts)).toThrow(why);
  });
});
