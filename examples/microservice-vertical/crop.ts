import { defineStep, InvalidInput } from "millrace";

/** Width and height of a page, and of the window that the detector finds a digit in. */
const PAGE = 64;
const WINDOW = 16;

/** Width and height of what the readers take: a mean of 2 × 2 pixels each. */
const SIZE = 8;

/** A window that is less likely to show a digit is taken for none. */
const SCORE_MIN = 0.5;

/** Smaller differences between ink and paper are noise. */
const CONTRAST_MIN = 0.001;

/** Cuts out what the detector found: paper becomes 0, the darkest ink 1. */
export default defineStep({
  inputs: {
    page: { datatype: "FP32", shape: [-1, 1, PAGE, PAGE] },
    box: { datatype: "INT32", shape: [-1, 4] },
    kind: { datatype: "BYTES", shape: [-1] },
    score: { datatype: "FP32", shape: [-1] },
  },
  outputs: {
    image: { datatype: "FP32", shape: [-1, 1, SIZE, SIZE] },
    kind: { datatype: "BYTES", shape: [-1] },
  },
  run({ page, box, kind, score }) {
    const rowCount = kind.data.length;
    const data = new Float32Array(rowCount * SIZE * SIZE);
    for (let row = 0; row < rowCount; row++) {
      if ((score.data[row] ?? 0) < SCORE_MIN) {
        throw new InvalidInput("there is no digit on the page", { input: "image_data", row });
      }
      const pixels = page.data.subarray(row * PAGE * PAGE, (row + 1) * PAGE * PAGE);
      const [left = 0, top = 0] = box.data.subarray(row * 4);
      data.set(inkOf(meansOf(pixels, left, top)), row * SIZE * SIZE);
    }
    return { image: { shape: [rowCount, 1, SIZE, SIZE], data }, kind };
  },
});

function meansOf(pixels: Float32Array, left: number, top: number): Float32Array {
  const means = new Float32Array(SIZE * SIZE);
  for (let y = 0; y < WINDOW; y++) {
    for (let x = 0; x < WINDOW; x++) {
      const at = (y >> 1) * SIZE + (x >> 1);
      means[at] = (means[at] ?? 0) + (pixels[(top + y) * PAGE + left + x] ?? 0) / 4;
    }
  }
  return means;
}

function inkOf(means: Float32Array): Float32Array {
  const sorted = means.toSorted();
  const black = sorted[0] ?? 0;
  const middle = sorted.length / 2;
  const paper = ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
  const contrast = Math.max(paper - black, CONTRAST_MIN);
  return means.map((value) => Math.min(1, Math.max(0, (paper - value) / contrast)));
}
