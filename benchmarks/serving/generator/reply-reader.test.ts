import { describe, expect, it } from "vitest";
import { readReplyHead } from "./reply-reader.ts";

const read = (text: string, end = text.length): ReturnType<typeof readReplyHead> =>
  readReplyHead(Buffer.from(text), end);

describe("readReplyHead()", () => {
  it("finds status and length whatever the case of the header is", () => {
    for (const name of ["content-length", "Content-Length", "CONTENT-LENGTH"]) {
      const head = `HTTP/1.1 503 Busy\r\nserver: x\r\n${name}: 12\r\n\r\n`;
      expect(read(`${head}hello`)).toEqual({ status: 503, bytes: head.length + 12 });
    }
  });

  it("takes no other header for it", () => {
    const head = "HTTP/1.1 200 OK\r\ncontent-langua: 99\r\ncontent-length:3\r\n\r\n";
    expect(read(`${head}abc`)).toEqual({ status: 200, bytes: head.length + 3 });
  });

  it("is undefined while the head has no end within the bytes that were read", () => {
    const head = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    expect(read(head.slice(0, -1))).toBeUndefined();
    expect(read(head, head.length - 1)).toBeUndefined();
  });

  it("throws when there is no length", () => {
    expect(() => read("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")).toThrow(
      "no content-length",
    );
  });
});
