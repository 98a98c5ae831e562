import type { AxisFit, Size } from "./fit-axis.ts";

export interface Pixels {
  /** Row by row, the bands of a pixel side by side. */
  readonly pixels: Uint8Array;
  /** 1 (gray) or 3 (red, green, blue). */
  readonly bandCount: number;
}

/**
 * Puts what was cut out of a picture where it belongs in the tensor, enlarging it (bilinear, edges repeated) and
 * leaving borders black where it must.
 * @returns the pixels themselves when nothing is to be done, as with most pictures.
 */
export function placePixels(
  cut: Pixels,
  { x, y }: { readonly x: AxisFit; readonly y: AxisFit },
  target: Size,
): Pixels {
  const isThere = x.length === target.width && y.length === target.height;
  if (isThere && x.step === 1 && y.step === 1) return cut;
  const { bandCount } = cut;
  const placed = new Uint8Array(target.width * target.height * bandCount);
  const columns = tapsOf(x, bandCount);
  const rows = tapsOf(y, x.length * bandCount);
  for (let row = 0; row < y.covered; row++) {
    const start = ((y.border + row) * target.width + x.border) * bandCount;
    writeRow(cut, { taps: rows, row }, columns, placed.subarray(start));
  }
  return { pixels: placed, bandCount };
}

/** For each pixel of an axis its two neighbours in the source, as offsets, and the weight of the second. */
interface Taps {
  readonly near: Int32Array;
  readonly far: Int32Array;
  readonly weight: Float64Array;
}

function tapsOf({ covered, first, step, length }: AxisFit, stride: number): Taps {
  const near = new Int32Array(covered);
  const far = new Int32Array(covered);
  const weight = new Float64Array(covered);
  for (let i = 0; i < covered; i++) {
    const place = Math.min(Math.max(first + i * step, 0), length - 1);
    const index = Math.floor(place);
    near[i] = index * stride;
    far[i] = Math.min(index + 1, length - 1) * stride;
    weight[i] = place - index;
  }
  return { near, far, weight };
}

function writeRow(
  { pixels, bandCount }: Pixels,
  { taps, row }: { readonly taps: Taps; readonly row: number },
  columns: Taps,
  target: Uint8Array,
): void {
  const near = taps.near[row] as number;
  const far = taps.far[row] as number;
  const weightY = taps.weight[row] as number;
  const width = columns.near.length;
  for (let column = 0, at = 0; column < width; column++) {
    const left = columns.near[column] as number;
    const right = columns.far[column] as number;
    const weightX = columns.weight[column] as number;
    for (let band = 0; band < bandCount; band++, at++) {
      const nearLeft = pixels[near + left + band] as number;
      const farLeft = pixels[far + left + band] as number;
      const upper = nearLeft + ((pixels[near + right + band] as number) - nearLeft) * weightX;
      const lower = farLeft + ((pixels[far + right + band] as number) - farLeft) * weightX;
      target[at] = upper + (lower - upper) * weightY + 0.5; // storing drops the fraction
    }
  }
}
