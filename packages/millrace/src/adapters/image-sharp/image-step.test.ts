import { beforeAll, describe, expect, test } from "vitest";
import sharp from "sharp";
import { Cancellation } from "../../core/cancellation.ts";
import { MillraceError } from "../../core/errors.ts";
import { allPromises, testContext } from "../../core/graph/test-step.ts";
import type { Step, StepContext } from "../../core/graph/step.ts";
import { TestClock } from "../../core/test-clock.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { ImageOptions } from "../../ports/step-sources.ts";
import { SharpImages } from "./image-sharp.ts";
import { bombPng, drawn, grayLine, imageOptions, noise, pngOf } from "./test-images.ts";

const IMAGES = new SharpImages({ coreCount: 2 });

async function stepOf(overrides: Partial<ImageOptions> = {}): Promise<Step> {
  return (await IMAGES.image("image", imageOptions(overrides))).step;
}

function run(
  step: Step,
  rows: readonly (Buffer | string)[],
  context: StepContext = testContext(new TestClock()),
): Promise<Tensor> {
  const data = rows.map((row) => (typeof row === "string" ? row : row.toString("base64")));
  const input: Tensor = { name: "image_data", datatype: "BYTES", shape: [data.length], data };
  return step.run([input], context).then(({ outputs }) => outputs[0] as Tensor);
}

/** One gray value, 300 pixels high. */
function plain(value: number, width: number): Promise<Buffer> {
  const background = { r: value, g: value, b: value };
  return sharp({ create: { width, height: 300, channels: 3, background } })
    .png()
    .toBuffer();
}

async function valuesOf(picture: Buffer, overrides: Partial<ImageOptions>): Promise<number[]> {
  const { data } = await run(await stepOf(overrides), [picture]);
  return Array.from(data as Float32Array);
}

/** Of each pixel the first band. */
async function grayOf(picture: Buffer, width: number, height = 1): Promise<number[]> {
  const values = await valuesOf(picture, { width, height });
  return values.filter((_, i) => i % 3 === 0);
}

async function errorOf(promise: Promise<unknown>): Promise<MillraceError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof MillraceError) return error;
  throw new Error("no MillraceError was thrown", { cause: error });
}

describe("run() values", () => {
  test("run() gives one pixel normalised as ImageNet's models expect", async () => {
    const picture = await pngOf({ width: 1, height: 1, pixels: [255, 128, 0] });
    const mean = [0.485, 0.456, 0.406];
    const std = [0.229, 0.224, 0.225];
    const step = await stepOf({ width: 1, height: 1, mean, std, scale: 1 / 255, layout: "nchw" });
    expect(await run(step, [picture])).toEqual({
      name: "image",
      datatype: "FP32",
      shape: [1, 3, 1, 1],
      data: Float32Array.of((1 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, (0 - 0.406) / 0.225),
    });
  });

  test("run() keeps rows, columns and channels apart", async () => {
    const pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]; // 2 × 2
    const picture = await pngOf({ width: 2, height: 2, pixels });
    expect(await valuesOf(picture, {})).toEqual(pixels);
    const planes = [1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12];
    expect(await valuesOf(picture, { layout: "nchw" })).toEqual(planes);
    expect(await valuesOf(picture, { channels: "bgr" })).toEqual([
      3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10,
    ]);
  });

  test("run() gives bytes when the type is UINT8", async () => {
    const picture = await pngOf({ width: 1, height: 1, pixels: [1, 2, 255] });
    const step = await stepOf({ width: 1, height: 1, datatype: "UINT8" });
    const { datatype, data } = await run(step, [picture]);
    expect([datatype, data]).toEqual(["UINT8", Uint8Array.of(1, 2, 255)]);
  });

  test("run() gives the pictures in the order of the rows, however many are decoded at a time", async () => {
    const values = Array.from({ length: 40 }, (_, i) => i * 5);
    // Larger ones take longer.
    const pictures = await Promise.all(
      values.map((value, i) => plain(value, 1 + ((i * 97) % 400))),
    );
    const step = await stepOf({ width: 1, height: 1, channels: "gray" });
    const { shape, data } = await run(step, pictures);
    expect(shape).toEqual([40, 1, 1, 1]);
    expect(Array.from(data as Float32Array)).toEqual(values);
  });
});

/**
 * Halving weighs four pixels 1 3 3 1, the ends being repeated: a triangle as wide as twice the step (bilinear with
 * antialiasing). Shrinking by four or more first averages pairs. Enlarging interpolates at (x + 0.5) × from / to − 0.5.
 */
describe("run() resizes", () => {
  test("run() halves with weights 1 3 3 1", async () => {
    const picture = await pngOf(grayLine(0, 40, 200, 80));
    // (0 + 0 + 3 × 40 + 200) / 8 and (40 + 3 × 200 + 3 × 80 + 80) / 8
    expect(await grayOf(picture, 2)).toEqual([40, 120]);
  });

  test("run() halves both ways alike", async () => {
    const line = [0, 40, 200, 80].flatMap((v) => Array<number>(4 * 3).fill(v));
    const picture = await pngOf({ width: 4, height: 4, pixels: line });
    expect(await grayOf(picture, 2, 2)).toEqual([40, 40, 120, 120]);
  });

  test("run() averages pairs first when it shrinks to a quarter", async () => {
    const picture = await pngOf(grayLine(0, 40, 200, 80, 10, 20, 30, 255));
    // Pairs 20 140 15 142.5, then as above: 64.4 and 95
    const [left, right] = await grayOf(picture, 2);
    expect(left).toBe(64);
    expect(Math.abs((right as number) - 95)).toBeLessThanOrEqual(1);
  });

  test("run() interpolates when it enlarges", async () => {
    const picture = await pngOf(grayLine(0, 100));
    expect(await grayOf(picture, 4)).toEqual([0, 25, 75, 100]);
    expect(await grayOf(picture, 5)).toEqual([0, 10, 50, 90, 100]);
  });

  test("run() leaves a picture of the right size alone", async () => {
    const picture = await noise(17, 13).png().toBuffer();
    const { data } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
    expect(await valuesOf(picture, { width: 17, height: 13 })).toEqual([...data]);
  });

  test("run() distorts, cuts or leaves borders as fit says", async () => {
    const wide = await pngOf(grayLine(10, 20, 30, 40)); // 4 × 1: halved and doubled
    const size = { width: 2, height: 2, channels: "gray", mean: [0], std: [1] } as const;
    expect(await valuesOf(wide, { ...size, fit: "fill" })).toEqual([16, 34, 16, 34]);
    const square = await pngOf({ ...grayLine(9, 9, 9, 9, 9, 9, 9, 9), width: 4, height: 2 });
    expect(await valuesOf(square, { ...size, fit: "cover" })).toEqual([9, 9, 9, 9]);
    expect(await valuesOf(square, { ...size, fit: "contain", height: 3 })).toEqual([
      0, 0, 9, 9, 0, 0,
    ]);
  });

  test("run() cuts the middle out when fit is cover", async () => {
    const picture = await pngOf({ ...grayLine(1, 2, 3, 4, 1, 2, 3, 4), width: 4, height: 2 });
    expect(await valuesOf(picture, { fit: "cover", channels: "gray" })).toEqual([2, 3, 2, 3]);
  });

  test("run() enlarges only what it keeps of a very long picture", async () => {
    const long = await pngOf({
      ...grayLine(...Array<number>(2_000).fill(9)),
      width: 2,
      height: 1_000,
    });
    const size = { width: 300, height: 300, fit: "cover", channels: "gray" } as const;
    expect(new Set(await valuesOf(long, size))).toEqual(new Set([9]));
  });

  test("run() places what fits a corner of the tensor with the rest black", async () => {
    const dot = await pngOf({ width: 1, height: 2, pixels: [9, 9, 9, 7, 7, 7] });
    const size = { width: 4, height: 2, fit: "contain", channels: "gray" } as const;
    expect(await valuesOf(dot, size)).toEqual([0, 9, 0, 0, 0, 7, 0, 0]);
  });
});

describe("run() takes", () => {
  const GRAY = { width: 1, height: 1 } as const;

  test("run() flattens transparency onto black", async () => {
    const half = { width: 1, height: 1, bandCount: 4, pixels: [255, 100, 50, 128] } as const;
    expect(await valuesOf(await pngOf(half), GRAY)).toEqual([128, 50, 25]);
    const webp = drawn({ ...half, pixels: [255, 100, 50, 0] }).webp({ lossless: true });
    expect(await valuesOf(await webp.toBuffer(), GRAY)).toEqual([0, 0, 0]);
  });

  test("run() makes three channels of a gray picture, with alpha or without", async () => {
    const plain = drawn({ width: 1, height: 1, bandCount: 1, pixels: [77] }).toColourspace("b-w");
    expect(await valuesOf(await plain.png().toBuffer(), GRAY)).toEqual([77, 77, 77]);
    expect(await valuesOf(await plain.png().toBuffer(), { ...GRAY, channels: "gray" })).toEqual([
      77,
    ]);
    const alpha = { width: 1, height: 1, bandCount: 2, pixels: [100, 128] } as const;
    expect(await valuesOf(await pngOf(alpha), GRAY)).toEqual([50, 50, 50]);
  });

  test("run() keeps the upper 8 of 16 bits", async () => {
    const deep = sharp(Uint16Array.of(65_535, 256, 128 * 257), {
      raw: { width: 1, height: 1, channels: 3 },
    });
    const picture = await deep.toColourspace("rgb16").png().toBuffer();
    expect((await sharp(picture).metadata()).depth).toBe("ushort");
    expect(await valuesOf(picture, GRAY)).toEqual([255, 1, 128]);
  });

  test("run() looks up the colours of a palette", async () => {
    const picture = drawn({ width: 2, height: 1, pixels: [255, 0, 0, 0, 0, 255] });
    const palette = await picture.png({ palette: true, colours: 2 }).toBuffer();
    expect(await valuesOf(palette, { height: 1 })).toEqual([255, 0, 0, 0, 0, 255]);
  });

  test("run() makes RGB of a CMYK JPEG", async () => {
    const red = drawn({
      width: 8,
      height: 8,
      pixels: Array<number[]>(64).fill([255, 0, 0]).flat(),
    });
    const picture = await red.toColourspace("cmyk").jpeg().toBuffer();
    const [r = 0, g = 255, b = 255] = await valuesOf(picture, GRAY);
    expect(r).toBeGreaterThan(200);
    expect(g + b).toBeLessThan(30);
  });

  test.each([
    [1, [10, 200]],
    [2, [200, 10]],
    [3, [200, 10]],
    [6, [10, 200]],
    [8, [200, 10]],
  ])("run() turns a picture with EXIF orientation %d upright", async (orientation, values) => {
    const picture = await drawn(grayLine(10, 200)).withMetadata({ orientation }).png().toBuffer();
    const [width, height] = orientation < 5 ? [2, 1] : [1, 2];
    expect(await grayOf(picture, width, height)).toEqual(values);
  });

  test("run() takes the first frame of an animation", async () => {
    const images = await Promise.all([plain(10, 4), plain(200, 4)]);
    const frames = sharp(images, { join: { animated: true } });
    const picture = await frames.webp({ lossless: true, delay: [9, 9] }).toBuffer();
    expect((await sharp(picture).metadata()).pages).toBe(2);
    expect(await valuesOf(picture, GRAY)).toEqual([10, 10, 10]);
  });

  test("run() reads a data URL, URL-safe text and text in lines", async () => {
    const picture = await noise(20, 20).png().toBuffer();
    const text = picture.toString("base64");
    const step = await stepOf();
    const { data } = await run(step, [
      text,
      picture.toString("base64url"),
      `data:image/png;base64,${text}`,
      text.replaceAll(/.{76}/g, (line) => `${line}\r\n`),
    ]);
    const [first, ...others] = [0, 12, 24, 36].map((at) => data.slice(at, at + 12));
    for (const other of others) expect(other).toEqual(first);
  });
});

describe("run() refuses", () => {
  let jpeg: Buffer;
  let png: Buffer;
  let webp: Buffer;
  beforeAll(async () => {
    jpeg = await noise(100, 100).jpeg().toBuffer();
    png = await noise(100, 100).png().toBuffer();
    webp = await noise(100, 100).webp().toBuffer();
  });

  const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>';
  test.each([
    ["", "nothing"],
    ["data:image/png;base64,", "nothing"],
    [Buffer.from(SVG), "SVG, HTML or other XML"],
    [`data:image/svg+xml;base64,${Buffer.from(SVG).toString("base64")}`, "SVG, HTML or other XML"],
    [Buffer.from("GIF89a\x01\0\x01\0\x80\0\0", "latin1"), "a GIF"],
    [Buffer.from("PK\x03\x04\x14\0\0\0", "latin1"), "a ZIP file"],
    [Buffer.from("hello"), "an unknown format (it begins with 0x68656c6c)"],
    ["not an image!", "text that is not base64"],
    ["https://example.com/cat.jpg", "text that is not base64"],
    ["/etc/passwd", "an unknown format (it begins with 0xfdeb5cfe)"],
  ])("run() refuses %j, saying it found %s", async (row, found) => {
    const error = await errorOf(run(await stepOf(), [row]));
    const message = `found ${found}, expected JPEG, PNG or WebP`;
    expect(error.code).toBe("INVALID_IMAGE");
    expect(error.message).toBe(`Cannot read body.image_data.0: ${message}`);
    expect(error.problems).toEqual([
      { location: ["body", "image_data", 0], message, type: "image" },
    ]);
  });

  test("run() refuses a picture that is cut off or damaged, and goes on with the next request", async () => {
    const step = await stepOf();
    const damaged = Buffer.from(png);
    damaged.set([1, 2, 3, 4, 5], 2_000);
    const rows = [jpeg, png, webp].map((bytes) => bytes.subarray(0, bytes.length >> 1));
    for (const row of [...rows, damaged, jpeg.subarray(0, 20), png.subarray(0, 40)]) {
      const error = await errorOf(run(step, [row]));
      expect(error.code).toBe("INVALID_IMAGE");
      expect(error.problems[0]?.message).toMatch(/^found a damaged or cut off (JPEG|PNG|WebP)$/);
    }
    for (const row of [jpeg, png, webp]) await run(step, [row]);
  });

  test("run() refuses garbage behind the first bytes of base64", async () => {
    const text = png.toString("base64");
    const garbage = `${text.slice(0, 1_000)}***${text.slice(1_003)}`;
    const error = await errorOf(run(await stepOf(), [garbage]));
    expect(error.problems[0]?.message).toContain("found text that is not base64");
  });

  test("run() refuses a bomb by its header, at once and without its memory", async () => {
    const bomb = bombPng(20_000, 20_000);
    expect(bomb.length).toBeLessThan(2_000);
    const before = process.memoryUsage().rss;
    const startedMs = performance.now();
    const error = await errorOf(run(await stepOf({ pixelsMax: 50_000_000 }), [bomb]));
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000); // decoded: 1,200,000,000
    expect(error.problems).toEqual([
      {
        location: ["body", "image_data", 0],
        message: "found 20000 × 20000 pixels, limit is 50000000",
        type: "size",
      },
    ]);
  });

  test("run() refuses a bomb whose header is modest: its data ends the decoding", async () => {
    const error = await errorOf(run(await stepOf(), [bombPng(1_000, 1_000)]));
    expect(error.message).toContain("found a damaged or cut off PNG");
  });

  test("run() refuses more bytes than bytesMax, by one", async () => {
    const exact = await stepOf({ bytesMax: png.length });
    await run(exact, [png]);
    const error = await errorOf(run(await stepOf({ bytesMax: png.length - 1 }), [png]));
    expect(error.problems[0]).toMatchObject({
      message: `found ${png.length} bytes, limit is ${png.length - 1}`,
      type: "size",
    });
  });

  test("run() refuses more pixels than pixelsMax, by one", async () => {
    await run(await stepOf({ pixelsMax: 10_000 }), [png]);
    const error = await errorOf(run(await stepOf({ pixelsMax: 9_999 }), [png]));
    expect(error.problems[0]?.message).toBe("found 100 × 100 pixels, limit is 9999");
  });

  test("run() names every row that is no picture", async () => {
    const error = await errorOf(run(await stepOf(), [png, "!", png, "", jpeg]));
    expect(error.problems.map(({ location }) => location[2])).toEqual([1, 3]);
    expect(error.message).toContain("(and 1 more)");
  });

  test("run() names the row that cannot be decoded", async () => {
    const rows = [png, jpeg, webp.subarray(0, 300), png];
    const error = await errorOf(run(await stepOf(), rows));
    expect(error.problems.map(({ location }) => location)).toEqual([["body", "image_data", 2]]);
  });

  test("run() lists at most 20 problems", async () => {
    const error = await errorOf(run(await stepOf(), Array<string>(50).fill("")));
    expect(error.problems).toHaveLength(20);
  });

  test("run() refuses more pictures than a tensor of 256 MiB holds", async () => {
    const step = await stepOf({ width: 1_024, height: 1_024 }); // 12 MiB each
    const error = await errorOf(run(step, Array<string>(22).fill("")));
    expect(error.problems).toEqual([
      {
        location: ["body", "image_data"],
        message: "found 22 pictures, limit is 21 of this size in one request",
        type: "size",
      },
    ]);
  });
});

describe("run() ends", () => {
  let large: Buffer;
  beforeAll(async () => {
    large = await noise(1_000, 1_000).png().toBuffer();
  });
  const LARGE = { bytesMax: 10_000_000 } as const;

  test("run() ends at the deadline and not when the picture is decoded", async () => {
    const clock = new TestClock();
    const running = run(await stepOf(LARGE), [large], testContext(clock, { deadlineAtMs: 50 }));
    await allPromises();
    clock.advanceMs(50);
    expect((await errorOf(running)).code).toBe("DEADLINE_EXCEEDED");
    expect(clock.timerCount).toBe(0);
  });

  test("run() ends with the reason of the cancellation, and decodes no further row", async () => {
    const cancellation = new Cancellation();
    const clock = new TestClock();
    const context = testContext(clock, { cancellation, deadlineAtMs: 1_000 });
    const running = run(await stepOf(LARGE), Array<Buffer>(20).fill(large), context);
    await allPromises();
    const reason = new Error("the client has gone");
    cancellation.cancel(reason);
    await expect(running).rejects.toBe(reason);
    expect([clock.timerCount, cancellation.watcherCount]).toEqual([0, 0]);
    // The two that were being decoded are soon done, and everybody else may decode.
    await run(await stepOf(LARGE), [large]);
    // The other of the two may still be at it; were rows left, it would have company.
    const { queue, process } = sharp.counters();
    expect(queue).toBe(0);
    expect(process).toBeLessThanOrEqual(1);
  });

  test("run() leaves nothing behind when it is done", async () => {
    const cancellation = new Cancellation();
    const clock = new TestClock();
    const context = testContext(clock, { cancellation, deadlineAtMs: 1_000 });
    await run(await stepOf(), [await pngOf(grayLine(1))], context);
    expect([clock.timerCount, cancellation.watcherCount]).toEqual([0, 0]);
  });

  test("run() decodes at most as many at a time as there are places, over all requests", async () => {
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, sharp.counters().process);
    }, 1);
    const step = await stepOf(LARGE);
    await Promise.all(Array.from({ length: 4 }, () => run(step, [large, large, large])));
    clearInterval(watch);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(2);
  });
});
