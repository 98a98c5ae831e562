import { describe, expect, test } from "vitest";
import { PixelWriter } from "./pixel-writer.ts";
import { imageOptions } from "./test-images.ts";

/** Of ImageNet, as every framework has them. */
const MEAN = [0.485, 0.456, 0.406] as const;
const STD = [0.229, 0.224, 0.225] as const;

/** Two pixels of three bands. */
const PIXELS = Uint8Array.of(0, 128, 255, 10, 20, 30);

function write(overrides: Parameters<typeof imageOptions>[0], bandCount = 3, pixels = PIXELS) {
  const writer = new PixelWriter(imageOptions({ width: 2, height: 1, ...overrides }));
  const data = writer.allocate(1);
  writer.write(pixels, bandCount, data, 0);
  return { shape: writer.shape, data };
}

describe("write()", () => {
  test("write() normalises to (pixel × scale − mean) / std by channel", () => {
    const { shape, data } = write({ layout: "nchw", mean: MEAN, std: STD, scale: 1 / 255 });
    expect(shape).toEqual([3, 1, 2]);
    expect(data).toEqual(
      Float32Array.of(
        (0 - 0.485) / 0.229,
        (10 / 255 - 0.485) / 0.229,
        (128 / 255 - 0.456) / 0.224,
        (20 / 255 - 0.456) / 0.224,
        (255 / 255 - 0.406) / 0.225,
        (30 / 255 - 0.406) / 0.225,
      ),
    );
    // The constants that are printed everywhere: black of red, white of blue.
    expect(data[0]).toBeCloseTo(-2.1179, 4);
    expect(data[4]).toBeCloseTo(2.64, 4);
  });

  test("write() keeps the bands of a pixel together when the layout is nhwc", () => {
    expect(write({ layout: "nhwc" })).toEqual({
      shape: [1, 2, 3],
      data: Float32Array.from(PIXELS),
    });
  });

  test("write() turns the bands round for bgr; mean is that of the output's channels", () => {
    const { data } = write({ channels: "bgr", mean: [1, 2, 3] });
    expect(data).toEqual(Float32Array.of(254, 126, -3, 29, 18, 7));
  });

  test("write() makes gray as BT.601 weighs it, in one channel", () => {
    const { shape, data } = write({ channels: "gray", layout: "nchw", mean: [0], std: [1] });
    // 0.299 × 0 + 0.587 × 128 + 0.114 × 255 = 104.2; 0.299 × 10 + 0.587 × 20 + 0.114 × 30 = 18.15
    expect({ shape, data }).toEqual({ shape: [1, 1, 2], data: Float32Array.of(104, 18) });
    const white = write({ channels: "gray" }, 3, new Uint8Array(6).fill(255));
    expect(white.data).toEqual(Float32Array.of(255, 255));
  });

  test.each(["rgb", "bgr"] as const)(
    "write() repeats one band in each channel of %s",
    (channels) => {
      const { data } = write({ channels, mean: [0, 1, 2] }, 1, Uint8Array.of(7, 9));
      expect(data).toEqual(Float32Array.of(7, 6, 5, 9, 8, 7));
    },
  );

  test("write() takes one band as gray as it is", () => {
    expect(write({ channels: "gray" }, 1, Uint8Array.of(7, 9)).data).toEqual(Float32Array.of(7, 9));
  });

  test("write() rounds half to even and keeps to 0 to 255 when the type is UINT8", () => {
    const options = { datatype: "UINT8", scale: 0.5, mean: [0, 0, -200] } as const;
    expect(write(options).data).toEqual(Uint8Array.of(0, 64, 255, 5, 10, 215));
    const half = { datatype: "UINT8", scale: 0.1, mean: [5, 5, 5], channels: "rgb" } as const;
    expect(write(half, 3, Uint8Array.of(75, 65, 0, 55, 85, 255)).data).toEqual(
      Uint8Array.of(2, 2, 0, 0, 4, 20),
    );
  });

  test("write() leaves the other pictures of the tensor alone", () => {
    const writer = new PixelWriter(imageOptions({ width: 2, height: 1 }));
    const data = writer.allocate(3);
    writer.write(PIXELS, 3, data, writer.elementCount);
    expect([...data]).toEqual([0, 0, 0, 0, 0, 0, ...PIXELS, 0, 0, 0, 0, 0, 0]);
  });
});
