import type { SharpOptions } from "sharp";
import type { ImageOptions } from "../../ports/step-sources.ts";
import { fitAxes, type Size } from "./fit-axis.ts";
import type { SharpModule } from "./load-sharp.ts";
import { placePixels, type Pixels } from "./place-pixels.ts";
import type { ImageFormat } from "./recognise-format.ts";

export interface EncodedImage {
  readonly bytes: Uint8Array;
  readonly format: ImageFormat;
}

export type ImageDecoding =
  | ({ readonly kind: "pixels" } & Pixels)
  | {
      readonly kind: "unusable";
      /** What was found, and what is allowed. */
      readonly message: string;
      readonly type: "image" | "size";
      readonly cause?: unknown;
    };

/** What decoding needs to know; of the pixels' values nothing. */
export type DecodeOptions = Pick<ImageOptions, "width" | "height" | "fit" | "pixelsMax">;

/** A picture that takes longer, whatever the deadline, is given up. */
export const DECODE_SECONDS_MAX = 30;

/**
 * Decodes, turns as EXIF says, flattens onto black and resizes one picture. Of an animation it takes the first frame.
 * Colour profiles are not applied, as they are not by the libraries that models are trained with.
 *
 * All but enlarging is done on a thread of libuv's pool. The size in the header is judged before a pixel is decoded.
 *
 * @param secondsMax whole seconds, 1 to `DECODE_SECONDS_MAX`.
 */
export async function decodeImage(
  sharp: SharpModule,
  { bytes, format }: EncodedImage,
  options: DecodeOptions,
  secondsMax: number,
): Promise<ImageDecoding> {
  try {
    const header = await sharp(bytes, READING).metadata();
    const { width, height } = header.autoOrient;
    if (width * height > options.pixelsMax) {
      const message = `found ${width} × ${height} pixels, limit is ${options.pixelsMax}`;
      return { kind: "unusable", message, type: "size" };
    }
    const pixels = await decodePixels(
      sharp(bytes, READING),
      { width, height },
      options,
      secondsMax,
    );
    return { kind: "pixels", ...pixels };
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes("timeout")) {
      const message = `found a ${format} that takes more than ${secondsMax} s to decode`;
      return { kind: "unusable", message, type: "size", cause };
    }
    return {
      kind: "unusable",
      message: `found a damaged or cut off ${format}`,
      type: "image",
      cause,
    };
  }
}

/** It refuses what is damaged, but not what only breaks a rule of its format. */
const READING: SharpOptions = {
  failOn: "error",
  autoOrient: true,
  ignoreIcc: true,
  limitInputPixels: false, // that of the options has been judged
};

async function decodePixels(
  image: ReturnType<SharpModule>,
  size: Size,
  target: DecodeOptions,
  seconds: number,
): Promise<Pixels> {
  const axes = fitAxes(size, target);
  const { x, y } = axes;
  image
    .timeout({ seconds })
    .flatten({ background: "#000" })
    .resize({
      width: x.shrunk,
      height: y.shrunk,
      fit: "fill",
      kernel: "linear",
      fastShrinkOnLoad: false, // the last halving is the kernel's, not the JPEG decoder's
    })
    .toColourspace("srgb");
  if (x.length < x.shrunk || y.length < y.shrunk) {
    image.extract({ left: x.start, top: y.start, width: x.length, height: y.length });
  }
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return placePixels({ pixels: data, bandCount: info.channels }, axes, target);
}
