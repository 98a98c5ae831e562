import { LoadInputError } from "../load-input-error.ts";
import type { BatchSize } from "./load-target.ts";

/** Rows of a batch: `8`, or evenly drawn from `1-32`; behind a colon how often: `1:70`, `8-32:30`. */
const SIZE = /^(\d+)(?:-(\d+))?(?::(\d+(?:\.\d+)?))?$/;

const ROWS_MAX = 100_000;

const SIZES_MAX = 1_000;

/** @param text comma between sizes. @throws LoadInputError */
export function parseBatchSizes(text: string): readonly BatchSize[] {
  const sizes = text.split(",").map((part) => parseSize(part.trim()));
  if (sizes.length <= SIZES_MAX) return sizes;
  throw new LoadInputError(`--batch: at most ${SIZES_MAX} sizes, found ${sizes.length}`);
}

function parseSize(text: string): BatchSize {
  const [, from, to = from, often = "1"] = SIZE.exec(text) ?? [];
  const size = { min: Number(from), max: Number(to), weight: Number(often) };
  const isSize = size.min >= 1 && size.min <= size.max && size.max <= ROWS_MAX && size.weight > 0;
  if (isSize) return size;
  throw new LoadInputError(
    `--batch: expected rows of a batch, 1 to ${ROWS_MAX}, like 8, 1-32 or 1:90,8-32:10, found ${JSON.stringify(text)}`,
  );
}
