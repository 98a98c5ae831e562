import { shortElementJson } from "../tensor/short-json.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { ComparedOutputs } from "./compared-rows.ts";
import type { Comparison } from "./comparison.ts";
import type { Tolerance } from "./compare-tolerance.ts";
import { at } from "./value-pairs.ts";

/** Numbers of two predictions as they lie in memory. */
interface NumberPair {
  readonly answer: Tensor;
  readonly shadow: Tensor;
  /** Name of the output; empty where it is the prediction itself. */
  readonly name: string;
}

type Numbers = ArrayLike<number | bigint>;

/**
 * What `compareTolerance` or `compareEqual` would say of all rows, without making a value of each number: a millisecond
 * for a million of them.
 * @param tolerance undefined is none at all; the distance then counts the numbers of a row that differ.
 * @returns undefined where the outputs are not numbers of the same types and shapes: that is left to those.
 */
export function compareNumbers(
  answer: ComparedOutputs,
  shadow: ComparedOutputs,
  { tolerance, rowCount }: { tolerance: Tolerance | undefined; rowCount: number | undefined },
): Comparison | undefined {
  const pairs = pairsOf(answer, shadow);
  if (pairs === undefined) return undefined;
  let distance = 0;
  let detail: string | undefined;
  for (const pair of pairs) {
    const rowSize = rowCount === undefined ? 0 : pair.answer.data.length / rowCount;
    const found = tolerance === undefined ? differing(pair, rowSize) : beyond(pair, tolerance);
    distance = Math.max(distance, found.distance);
    if (found.index === -1) continue;
    detail ??= describe(pair, found.index, { rowSize, isMeasured: tolerance !== undefined });
  }
  return detail === undefined
    ? { isAgreed: true, distance }
    : { isAgreed: false, distance, detail };
}

function pairsOf(answer: ComparedOutputs, shadow: ComparedOutputs): NumberPair[] | undefined {
  const { outputs, isAlone } = answer;
  if (outputs.length !== shadow.outputs.length || isAlone !== shadow.isAlone) return undefined;
  const pairs = outputs.map((one, i): NumberPair => {
    const other = isAlone
      ? shadow.outputs[i]
      : shadow.outputs.find(({ name }) => name === one.name);
    return { answer: one, shadow: other ?? NO_TENSOR, name: isAlone ? "" : one.name };
  });
  return pairs.every(isOfNumbers) ? pairs : undefined;
}

const NO_TENSOR: Tensor = { name: "", datatype: "BYTES", shape: [0], data: [] };

/** Raw 16-bit floats are no numbers yet. */
function isOfNumbers({ answer, shadow }: NumberPair): boolean {
  const { datatype, shape, data } = answer;
  if (Array.isArray(data) || datatype === "FP16" || datatype === "BF16") return false;
  const isSameShape =
    shape.length === shadow.shape.length &&
    shape.every((extent, axis) => extent === shadow.shape[axis]);
  return datatype === shadow.datatype && isSameShape;
}

interface Found {
  readonly distance: number;
  /** Of the first number that differs too much; -1 where none does. */
  readonly index: number;
}

/** @param rowSize numbers of a row; 0 where all are one. */
function differing({ answer, shadow }: NumberPair, rowSize: number): Found {
  const one = answer.data as Numbers;
  const other = shadow.data as Numbers;
  let index = -1;
  let distance = 0;
  let inRow = 0;
  for (let i = 0; i < one.length; i++) {
    if (rowSize > 0 && i % rowSize === 0) inRow = 0;
    const [a, b] = [one[i], other[i]];
    if (a === b || (a !== a && b !== b)) continue;
    if (index === -1) index = i;
    distance = Math.max(distance, ++inRow);
  }
  return { distance, index };
}

function beyond({ answer, shadow }: NumberPair, { absolute, relative }: Tolerance): Found {
  const one = answer.data as Numbers;
  const other = shadow.data as Numbers;
  let index = -1;
  let distance = 0;
  for (let i = 0; i < one.length; i++) {
    const a = Number(one[i]);
    const b = Number(other[i]);
    if (a === b || (a !== a && b !== b)) continue;
    const apart = Math.abs(b - a);
    if (apart > distance && apart < Infinity) distance = apart;
    // Not so of NaN beside a number.
    if (!(apart <= absolute + relative * Math.abs(a)) && index === -1) index = i;
  }
  return { distance, index };
}

function describe(
  { answer, shadow, name }: NumberPair,
  index: number,
  { rowSize, isMeasured }: { readonly rowSize: number; readonly isMeasured: boolean },
): string {
  const isByRow = rowSize > 0;
  const extents = isByRow ? answer.shape.slice(1) : answer.shape;
  const place = `${name}${placeOf(isByRow ? index % rowSize : index, extents)}`;
  const text = `found ${shortElementJson(shadow, index)}, expected ${shortElementJson(answer, index)}`;
  const apart = Math.abs(Number(shadow.data[index]) - Number(answer.data[index]));
  const isKnown = isMeasured && Number.isFinite(apart);
  return at(place, isKnown ? `${text}: ${apart.toPrecision(3)} apart` : text);
}

/** `[0][2]` */
function placeOf(index: number, extents: readonly number[]): string {
  let place = "";
  let left = index;
  for (const extent of extents.toReversed()) {
    place = `[${left % extent}]${place}`;
    left = Math.floor(left / extent);
  }
  return place;
}
