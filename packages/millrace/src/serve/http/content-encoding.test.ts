import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gunzipSync,
  gzipSync,
  inflateSync,
} from "node:zlib";
import { describe, expect, test } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import { encodeAnswer, readBody } from "./content-encoding.ts";
import type { Answer } from "./exchange.ts";

const TEXT = new TextEncoder().encode("x".repeat(5_000));

function bodyOf(
  body: Uint8Array,
  encoding: string | undefined,
  bodyBytesMax = 5_000,
): Uint8Array | Promise<Uint8Array> {
  return readBody({ body, bodyBytesMax, header: () => encoding });
}

describe("readBody()", () => {
  test.each([undefined, "identity", ""])(
    "readBody() gives the bytes at once for %j",
    (encoding) => {
      expect(bodyOf(TEXT, encoding)).toBe(TEXT);
    },
  );

  test.each([
    ["gzip", gzipSync(TEXT)],
    ["GZIP", gzipSync(TEXT)],
    ["deflate", deflateSync(TEXT)],
  ])("readBody() decodes %s", async (encoding, body) => {
    expect(new Uint8Array(await bodyOf(body, encoding))).toEqual(TEXT);
  });

  test.each(["br", "gzip, gzip", "constructor", "compress"])(
    "readBody() refuses %j as UNSUPPORTED_MEDIA_TYPE",
    (encoding) => {
      expect(() => bodyOf(brotliCompressSync(TEXT), encoding)).toThrow(
        expect.objectContaining({
          code: "UNSUPPORTED_MEDIA_TYPE",
          problems: [expect.objectContaining({ location: ["header", "content-encoding"] })],
        }),
      );
    },
  );

  test.each([
    ["is cut off", "gzip", gzipSync(TEXT).subarray(0, 20)],
    ["is empty", "gzip", new Uint8Array(0)],
    ["is not compressed", "deflate", TEXT],
    ["lacks the zlib header", "deflate", deflateRawSync(TEXT)],
    ["has a wrong checksum", "gzip", damaged(gzipSync(TEXT))],
  ])("readBody() refuses a body that %s as INVALID_BODY", async (_name, encoding, body) => {
    const error = await Promise.resolve(bodyOf(body, encoding)).catch((reason: unknown) => reason);
    expect((error as MillraceError).code).toBe("INVALID_BODY");
  });

  test("readBody() stops a body that grows beyond the limit", async () => {
    const bomb = gzipSync(new Uint8Array(50_000_000));
    const error = await Promise.resolve(bodyOf(bomb, "gzip")).catch((reason: unknown) => reason);
    expect((error as MillraceError).code).toBe("BODY_TOO_LARGE");
    expect((error as MillraceError).message).toContain("more than 5000 bytes");
  });
});

describe("encodeAnswer()", () => {
  const answer: Answer = { status: 200, headers: [["x-model", "m"]], body: "y".repeat(2_000) };

  test.each([
    ["gzip", gunzipSync],
    ["deflate", inflateSync],
  ])("encodeAnswer() compresses for %s", async (coding, decode) => {
    const { status, headers, body } = await encodeAnswer(answer, coding);
    expect(status).toBe(200);
    expect(headers).toContainEqual(["x-model", "m"]);
    expect(headers).toContainEqual(["content-encoding", coding]);
    expect(decode(body as Uint8Array).toString()).toBe(answer.body);
  });

  test.each([undefined, "", "identity", "gzip, deflate, br", "br", "toString"])(
    "encodeAnswer() leaves the answer alone for %j",
    (accept) => {
      expect(encodeAnswer(answer, accept)).toBe(answer);
    },
  );

  test("encodeAnswer() leaves a short answer alone", () => {
    const short: Answer = { ...answer, body: new Uint8Array(1_000) };
    expect(encodeAnswer(short, "gzip")).toBe(short);
  });
});

function damaged(bytes: Uint8Array): Uint8Array {
  return bytes.with(bytes.length - 6, (bytes.at(-6) ?? 0) ^ 0xff);
}
