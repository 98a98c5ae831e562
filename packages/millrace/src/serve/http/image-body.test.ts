import { deflateSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { MillraceError } from "../../core/errors.ts";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import type { Exchange, HeaderName } from "./exchange.ts";
import { imageRows, takesImage } from "./image-body.ts";

const IMAGE: TensorSpec = { name: "image_data", datatype: "BYTES", shape: [-1] };
const PICTURE = Buffer.from([0xff, 0xd8, 0xff, 0x00, 0xfb]);

/** A request of which nothing else is asked. */
function exchangeOf(body: Uint8Array, headers: Partial<Record<HeaderName, string>>): Exchange {
  const header = (name: HeaderName): string | undefined => headers[name];
  return { body, bodyBytesMax: 1_000, header } as unknown as Exchange;
}

function read(body: Uint8Array, headers: Partial<Record<HeaderName, string>>, inputs = [IMAGE]) {
  return imageRows(exchangeOf(body, headers), inputs);
}

const FORM_TYPE = "multipart/form-data; boundary=xyz";
const FORM = Buffer.concat([
  Buffer.from('--xyz\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'),
  PICTURE,
  Buffer.from("\r\n--xyz--\r\n"),
]);

describe("imageRows()", () => {
  const rows = [{ ...IMAGE, shape: [1], data: ["/9j/APs="] }];

  test.each(["image/jpeg", "image/png", "image/webp", "Image/JPEG; charset=binary"])(
    "imageRows() takes a body of type %s as one row",
    (type) => expect(read(PICTURE, { "content-type": type })).toEqual(rows),
  );

  test("imageRows() takes the one file of a form", () => {
    expect(read(FORM, { "content-type": FORM_TYPE })).toEqual(rows);
  });

  test.each([
    ["gzip", gzipSync(PICTURE)],
    ["deflate", deflateSync(PICTURE)],
  ])("imageRows() decodes a body in %s first", async (coding, body) => {
    const headers = { "content-type": "image/png", "content-encoding": coding };
    expect(await read(body, headers)).toEqual(rows);
  });

  test("imageRows() refuses a body that decodes to more than the limit", async () => {
    const headers = { "content-type": "image/png", "content-encoding": "gzip" };
    await expect(read(gzipSync(Buffer.alloc(100_000)), headers)).rejects.toMatchObject({
      code: "BODY_TOO_LARGE",
    });
  });

  test.each([undefined, "application/json", "text/plain", "application/vnd.api+json"])(
    "imageRows() leaves a body of type %s to others",
    (type) => {
      const headers = type === undefined ? {} : { "content-type": type };
      expect(read(PICTURE, headers)).toBeUndefined();
    },
  );

  test.each([
    "image/gif",
    "image/svg+xml",
    "text/csv",
    "multipart/mixed; boundary=xyz",
    "video/mp4",
  ])("imageRows() refuses a body of type %s, saying what it takes", (type) => {
    const [named = ""] = type.split(";", 1);
    expect(() => read(PICTURE, { "content-type": type })).toThrow(
      `Cannot read the body: content-type is "${named}", expected application/json, ` +
        "image/jpeg, image/png, image/webp or multipart/form-data",
    );
  });

  test.each(["image/jpeg", FORM_TYPE])("imageRows() refuses an empty body of type %s", (type) => {
    const act = () => read(new Uint8Array(0), { "content-type": type });
    expect(act).toThrow(MillraceError);
    expect(act).toThrow("Cannot read body: the body is empty, expected a picture");
  });
});

describe("takesImage()", () => {
  const OTHER: TensorSpec = { name: "x", datatype: "FP32", shape: [-1, 4] };
  test.each([
    [[{ ...IMAGE, name: "text" }]],
    [[{ ...IMAGE, shape: [-1, 1] }]],
    [[{ ...IMAGE, datatype: "UINT8" as const }]],
    [[IMAGE, OTHER]],
    [[OTHER]],
    [[]],
  ])("takesImage() is false of %j", (inputs) => {
    expect(takesImage(inputs)).toBe(false);
    expect(read(PICTURE, { "content-type": "image/jpeg" }, inputs as TensorSpec[])).toBeUndefined();
  });

  test("takesImage() is true of one text called image_data", () => {
    expect(takesImage([IMAGE])).toBe(true);
  });
});
