import type { ImageOptions } from "../../ports/step-sources.ts";

/**
 * How one axis of a picture becomes that of the tensor: it is shrunk, or left as it is and enlarged later; what is
 * needed of it is cut out; it is put between black borders where it is too short.
 */
export interface AxisFit {
  /** Pixels after shrinking, at most as many as the picture has. */
  readonly shrunk: number;
  /** What is cut out of those. */
  readonly start: number;
  readonly length: number;
  /** Where the picture begins in the tensor, behind a border, and how far it reaches. */
  readonly border: number;
  readonly covered: number;
  /** Place of the first covered pixel in the cut, and of the next ones from there: 0 and 1 unless it is enlarged. */
  readonly first: number;
  readonly step: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** @param picture pixels it has, upright. */
export function fitAxes(
  picture: Size,
  target: Size & Pick<ImageOptions, "fit">,
): { readonly x: AxisFit; readonly y: AxisFit } {
  const scaleX = target.width / picture.width;
  const scaleY = target.height / picture.height;
  const same = target.fit === "cover" ? Math.max(scaleX, scaleY) : Math.min(scaleX, scaleY);
  const isFilled = target.fit === "fill";
  return {
    x: fitAxis(picture.width, isFilled ? scaleX : same, target.width),
    y: fitAxis(picture.height, isFilled ? scaleY : same, target.height),
  };
}

function fitAxis(pixels: number, scale: number, target: number): AxisFit {
  const scaled = Math.max(1, Math.round(pixels * scale));
  const covered = Math.min(scaled, target);
  const cut = Math.floor((scaled - covered) / 2);
  const border = Math.floor((target - covered) / 2);
  if (scaled <= pixels) {
    return { shrunk: scaled, start: cut, length: covered, border, covered, first: 0, step: 1 };
  }
  // Centres of pixels lie half a pixel off their edges.
  const step = pixels / scaled;
  const place = (cut + 0.5) * step - 0.5;
  const start = Math.max(0, Math.floor(place));
  const end = Math.min(pixels, Math.ceil(place + (covered - 1) * step) + 1);
  const cutOut = { start, length: end - start, first: place - start };
  return { shrunk: pixels, ...cutOut, border, covered, step };
}
