import { describe, expect, test } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import { TestRandom } from "../../core/test-random.ts";
import { readMultipartFile } from "./multipart-file.ts";

const TYPE = "multipart/form-data; boundary=xyz";
const HEADER = 'Content-Disposition: form-data; name="image"; filename="cat.jpg"\r\n';

/** Parts between boundaries, as browsers write them; `\n` is written as it is. */
function form(...parts: readonly string[]): Buffer {
  const text = parts.map((part) => `--xyz\r\n${part}\r\n`).join("");
  return Buffer.from(`${text}--xyz--\r\n`, "latin1");
}

function file(content: string, header = HEADER): string {
  return `${header}Content-Type: image/jpeg\r\n\r\n${content}`;
}

function errorOf(body: Buffer, type = TYPE): MillraceError {
  try {
    readMultipartFile(body, type);
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("readMultipartFile() reads", () => {
  test.each([
    "",
    "x",
    "\xff\xd8\xff\0\r\n",
    "--xyz",
    "\n--xyz--",
    "\r\n--xy",
    "\r\n\r\n",
    "a\r\n-\r\n--\r\n--XYZ",
  ])("readMultipartFile() gives the content %j byte by byte", (content) => {
    const { bytes, fieldName } = readMultipartFile(form(file(content)), TYPE);
    expect(Buffer.from(bytes).toString("latin1")).toBe(content);
    expect(fieldName).toBe("image");
  });

  test.each([
    ["multipart/form-data; boundary=xyz", HEADER],
    ['Multipart/Form-Data; charset=utf-8; BOUNDARY="xyz" ', HEADER],
    [TYPE, "content-disposition:form-data;name=image;filename=cat.jpg\r\n"],
    [TYPE, 'Content-Disposition: form-data; name="image"; filename="a\\"; name=\\"b.jpg"\r\n'],
    [TYPE, "Content-Disposition: form-data; name=\"image\"; filename*=UTF-8''%c3%a4.jpg\r\n"],
    [TYPE, 'Content-Disposition: form-data; filename=""; name="image"\r\n'],
    [TYPE, `${HEADER}Content-Transfer-Encoding: binary\r\n`],
    [TYPE, `X-Any: thing\r\n${HEADER}`],
  ])("readMultipartFile() reads a form of %j with a part of %j", (type, header) => {
    const { bytes, fieldName } = readMultipartFile(form(file("abc", header)), type);
    expect([Buffer.from(bytes).toString(), fieldName]).toEqual(["abc", "image"]);
  });

  test("readMultipartFile() reads what the platform's own form writes", async () => {
    const data = new FormData();
    const content = Uint8Array.from({ length: 1_000 }, (_, i) => i * 7);
    data.set("bild ä", new Blob([content]), 'kätzchen "1".png');
    const request = new Request("http://127.0.0.1", { method: "POST", body: data });
    const body = new Uint8Array(await request.arrayBuffer());
    const read = readMultipartFile(body, request.headers.get("content-type") ?? "");
    expect(new Uint8Array(read.bytes)).toEqual(content);
    expect(read.fieldName).toBe("bild ä");
  });

  test("readMultipartFile() copies nothing", () => {
    const body = form(file("abc"));
    expect(readMultipartFile(body, TYPE).bytes.buffer).toBe(body.buffer);
  });

  test("readMultipartFile() takes an end without a line break", () => {
    const body = form(file("abc"));
    expect(readMultipartFile(body.subarray(0, -2), TYPE).bytes).toHaveLength(3);
  });
});

describe("readMultipartFile() refuses", () => {
  test.each([
    "multipart/form-data",
    "multipart/form-data; boundary=",
    'multipart/form-data; boundary=""',
    `multipart/form-data; boundary=${"x".repeat(71)}`,
    'multipart/form-data; boundary="a\\b"',
    'multipart/form-data; boundary="a\0"',
    'multipart/form-data; boundary="ends with a space "',
    "multipart/form-data; boundaryxyz",
  ])("readMultipartFile() refuses %j as INVALID_HEADER", (type) => {
    const error = errorOf(form(file("abc")), type);
    expect(error.code).toBe("INVALID_HEADER");
    expect(error.problems[0]?.location).toEqual(["header", "content-type"]);
  });

  const NOTHING_ELSE = "expected one file and nothing else";
  const FIELD = 'Content-Disposition: form-data; name="note"\r\n\r\nhello';
  test.each([
    [
      "two files",
      form(file("a"), file("b", HEADER.replace('"image"', '"other"'))),
      `found the field "other" behind the field "image", ${NOTHING_ELSE}`,
    ],
    [
      "a field behind the file",
      form(file("a"), FIELD),
      `found the field "note" behind the field "image", ${NOTHING_ELSE}`,
    ],
    [
      "a field before the file",
      form(FIELD, file("a")),
      `found the field "image" behind the field "note", ${NOTHING_ELSE}`,
    ],
    ["only a field", form(FIELD), 'found the field "note" without a file, expected one file'],
    ["nothing", Buffer.alloc(0), 'it does not begin with the boundary "--xyz"'],
    ["no part", Buffer.from("--xyz--\r\n"), 'it does not begin with the boundary "--xyz"'],
    [
      "another boundary",
      Buffer.from(form(file("a")).toString().replaceAll("xyz", "abc")),
      'it does not begin with the boundary "--xyz"',
    ],
    [
      "text before the form",
      Buffer.from(`hello\r\n${form(file("a")).toString()}`),
      'it does not begin with the boundary "--xyz"',
    ],
    [
      "text behind the form",
      Buffer.concat([form(file("a")), Buffer.from("hello")]),
      "found bytes behind the last boundary",
    ],
    [
      "a boundary inside the file that goes on",
      form(file("a\r\n--xyzw\r\nb")),
      'a boundary in the field "image" goes on, or is cut off',
    ],
    [
      "a boundary inside the file",
      form(file("a\r\n--xyz\r\nb")),
      "the header lines of a part do not end",
    ],
    ["no header", form("abc"), "the header lines of a part do not end"],
    ["an empty header", form("\r\n\r\nabc"), 'the header line "" is none'],
    [
      "no disposition",
      form("Content-Type: image/png\r\n\r\nabc"),
      'a part has no "content-disposition: form-data; name=…"',
    ],
    [
      "another disposition",
      form("Content-Disposition: attachment; name=a; filename=b\r\n\r\nabc"),
      'a part has no "content-disposition: form-data; name=…"',
    ],
    [
      "no name",
      form("Content-Disposition: form-data; filename=b\r\n\r\nabc"),
      'a part has no "content-disposition: form-data; name=…"',
    ],
    [
      "a nested form",
      form(`${HEADER}Content-Type: multipart/mixed; boundary=q\r\n\r\n--q--`),
      'the field "image" has parts of its own',
    ],
    [
      "base64 in a part",
      form(`${HEADER}Content-Transfer-Encoding: base64\r\n\r\nabc`),
      'the field "image" is encoded as "base64", expected the bytes themselves',
    ],
    [
      "a header twice",
      form(`${HEADER}${HEADER}\r\nabc`),
      'the header "content-disposition" of a part stands twice',
    ],
    [
      "a parameter twice",
      form('Content-Disposition: form-data; name="a"; Name="b"; filename="c"\r\n\r\n'),
      '"name" stands twice in a part\'s header',
    ],
    [
      "an open quote",
      form('Content-Disposition: form-data; name="a; filename=b\r\n\r\n'),
      'found "; name=\\"a; filename=b" in a part\'s header',
    ],
    [
      "a line break in a header",
      form(`X: a\nb\r\n${HEADER}\r\nabc`),
      'the header line "X: a\\nb" is none',
    ],
    [
      "a NUL in a header",
      form(`X: a\0b\r\n${HEADER}\r\nabc`),
      'the header line "X: a\\u0000b" is none',
    ],
    ["a folded header", form(`X: a\r\n b\r\n${HEADER}\r\nabc`), 'the header line " b" is none'],
    ["a header that is none", form(`${HEADER}hello\r\n\r\nabc`), 'the header line "hello" is none'],
    [
      "many header lines",
      form(`${"X: a\r\n".repeat(20)}${HEADER}\r\nabc`),
      "a part has more than 8 header lines",
    ],
    [
      "a long header",
      form(`X: ${"a".repeat(100_000)}\r\n${HEADER}\r\nabc`),
      "the header lines of a part are longer than 4096 bytes",
    ],
  ])("readMultipartFile() refuses %s as INVALID_BODY", (_what, body, message) => {
    const error = errorOf(body);
    expect([error.code, error.message]).toEqual([
      "INVALID_BODY",
      `Cannot read the form: ${message}`,
    ]);
    expect(error.problems).toEqual([{ location: ["body"], message, type: "form" }]);
  });

  test("readMultipartFile() refuses a form that is cut off, wherever", () => {
    const whole = form(file("abc"));
    for (let length = 0; length < whole.length - 2; length++) {
      expect([length, errorOf(whole.subarray(0, length)).code]).toEqual([length, "INVALID_BODY"]);
    }
  });

  test("readMultipartFile() throws nothing but MillraceError, whatever a byte is changed to", () => {
    const random = new TestRandom(3);
    const whole = form(file("\r\n--xy\r\nabc"));
    let readCount = 0;
    for (let i = 0; i < 20_000; i++) {
      const body = Buffer.from(whole);
      const changes = 1 + random.below(3);
      for (let n = 0; n < changes; n++) body[random.below(body.length)] = random.below(256);
      try {
        readMultipartFile(body, TYPE);
        readCount++;
      } catch (error) {
        expect(error).toBeInstanceOf(MillraceError);
      }
    }
    expect(readCount).toBeGreaterThan(0);
  });

  test("readMultipartFile() takes no longer for many near boundaries", () => {
    const near = "\r\n--xy".repeat(2_000_000); // 12 MB
    const startedMs = performance.now();
    expect(readMultipartFile(form(file(near)), TYPE).bytes).toHaveLength(near.length);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  test("readMultipartFile() takes no longer for a hostile header", () => {
    const hostile = `Content-Disposition: form-data; name="${"\\a".repeat(1_900)}`;
    const startedMs = performance.now();
    expect(errorOf(form(`${hostile}\r\n\r\nabc`)).code).toBe("INVALID_BODY");
    expect(performance.now() - startedMs).toBeLessThan(500);
  });
});

test("readMultipartFile() refuses a header of thousands of spaces in no time", () => {
  const body = form(`X:${" ".repeat(4_000)}\0\r\n${HEADER}\r\nabc`);
  errorOf(body); // compiled once
  const startMs = performance.now();
  for (let i = 0; i < 10; i++) expect(errorOf(body).message).toContain("is none");
  expect(performance.now() - startMs).toBeLessThan(100); // 300 ms and more when each space is tried with each
});
