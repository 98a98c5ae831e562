import { crc32, deflateSync } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import type { ImageOptions } from "../../ports/step-sources.ts";

/** Options of a step that leaves the values of pixels as they are. */
export function imageOptions(overrides: Partial<ImageOptions> = {}): ImageOptions {
  return {
    width: 2,
    height: 2,
    fit: "fill",
    channels: "rgb",
    mean: [0, 0, 0],
    std: [1, 1, 1],
    scale: 1,
    layout: "nhwc",
    datatype: "FP32",
    pixelsMax: 1_000_000,
    bytesMax: 1_000_000,
    ...overrides,
  };
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Bands of a pixel side by side: gray, gray and alpha, RGB, or RGB and alpha. */
  readonly bandCount?: 1 | 2 | 3 | 4;
  readonly pixels: readonly number[];
}

export function drawn({ width, height, bandCount = 3, pixels }: Picture): Sharp {
  return sharp(Uint8Array.from(pixels), { raw: { width, height, channels: bandCount } });
}

export function pngOf(picture: Picture): Promise<Buffer> {
  return drawn(picture).png().toBuffer();
}

/** One line of gray pixels, as RGB. */
export function grayLine(...values: readonly number[]): Picture {
  return { width: values.length, height: 1, pixels: values.flatMap((v) => [v, v, v]) };
}

/** A picture too varied to be compressed to nothing. */
export function noise(width: number, height: number): Sharp {
  const noise = { type: "gaussian", mean: 128, sigma: 30 } as const;
  return sharp({ create: { width, height, channels: 3, background: "#000", noise } });
}

/** A PNG whose header promises so many black pixels; its data is a few zeros. */
export function bombPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8); // 8 bits, RGB
  const data = deflateSync(Buffer.alloc(1_000_000), { level: 9 });
  const signature = Buffer.from("89504e470d0a1a0a", "hex");
  const parts = [chunk("IHDR", header), chunk("IDAT", data), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...parts]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
