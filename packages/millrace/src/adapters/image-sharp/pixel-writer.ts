import type { ImageOptions } from "../../ports/step-sources.ts";

type PixelOptions = Pick<
  ImageOptions,
  "width" | "height" | "channels" | "mean" | "std" | "scale" | "layout" | "datatype"
>;

/** Elements of a tensor of pictures. */
export type PixelData = Float32Array | Uint8Array;

/** Source band of each channel. */
const BANDS = { rgb: [0, 1, 2], bgr: [2, 1, 0], gray: [0] } as const;

/**
 * Turns pixels into the values a model takes: (pixel × scale − mean) / std, computed in double precision. There are
 * only 256 pixel values, so each is computed once, here, and looked up for every pixel.
 */
export class PixelWriter {
  readonly #options: PixelOptions;
  /** Value by pixel, for each channel. */
  readonly #tables: readonly PixelData[];
  readonly #pixelCount: number;

  constructor(options: PixelOptions) {
    this.#options = options;
    this.#pixelCount = options.width * options.height;
    this.#tables = BANDS[options.channels].map((_band, channel) => tableOf(options, channel));
  }

  /** Elements of one picture. */
  get elementCount(): number {
    return this.#pixelCount * this.#tables.length;
  }

  /** Of one element. */
  get elementBytes(): number {
    return this.#options.datatype === "UINT8" ? 1 : 4;
  }

  /** Extents of one picture. */
  get shape(): readonly number[] {
    const { width, height, layout } = this.#options;
    const channelCount = this.#tables.length;
    return layout === "nchw" ? [channelCount, height, width] : [height, width, channelCount];
  }

  /** @returns zeroed storage for so many pictures. */
  allocate(count: number): PixelData {
    const length = this.elementCount * count;
    return this.#options.datatype === "UINT8" ? new Uint8Array(length) : new Float32Array(length);
  }

  /**
   * @param pixels row by row, width × height of them, their bands side by side.
   * @param bandCount 1 (gray) or 3 (red, green, blue).
   * @param target receives `elementCount` elements from `start` on.
   */
  write(pixels: Uint8Array, bandCount: number, target: PixelData, start: number): void {
    const { channels, layout } = this.#options;
    const isReduced = channels === "gray" && bandCount > 1;
    const source = isReduced ? grayOf(pixels, bandCount) : pixels;
    const stride = isReduced ? 1 : bandCount;
    const end = this.#pixelCount * stride;
    const channelCount = this.#tables.length;
    const step = layout === "nchw" ? 1 : channelCount;
    const channelStart = layout === "nchw" ? this.#pixelCount : 1;
    for (let channel = 0; channel < channelCount; channel++) {
      const table = this.#tables[channel] as PixelData;
      const band = stride === 1 ? 0 : (BANDS[channels][channel] as number);
      let at = start + channel * channelStart;
      for (let from = band; from < end; from += stride, at += step) {
        target[at] = table[source[from] as number] as number;
      }
    }
  }
}

/** Whole numbers are rounded to the nearest, half to even, and kept within 0 to 255. */
function tableOf(options: PixelOptions, channel: number): PixelData {
  const { mean, std, scale, datatype } = options;
  const channelMean = mean[channel] ?? mean[0] ?? 0;
  const channelStd = std[channel] ?? std[0] ?? 1;
  const valueOf = (_: unknown, pixel: number): number => (pixel * scale - channelMean) / channelStd;
  const values = Array.from({ length: 256 }, valueOf);
  return datatype === "UINT8"
    ? new Uint8Array(Uint8ClampedArray.from(values))
    : Float32Array.from(values);
}

/** Luma of ITU-R BT.601, in 16-bit fixed point: to the bit what Pillow's mode `L` has, which models are trained with. */
function grayOf(pixels: Uint8Array, bandCount: number): Uint8Array {
  const gray = new Uint8Array(pixels.length / bandCount);
  for (let at = 0, from = 0; at < gray.length; at++, from += bandCount) {
    const red = pixels[from] as number;
    const green = pixels[from + 1] as number;
    const blue = pixels[from + 2] as number;
    gray[at] = (red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16;
  }
  return gray;
}
