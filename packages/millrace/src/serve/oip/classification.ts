import { MillraceError } from "../../core/errors.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { withShortNumbers } from "../../core/tensor/write-json.ts";
import type { RequestedOutput } from "./requested-outputs.ts";

/** @throws INVALID_BODY when classes are asked of text, which has no largest element. */
export function checkClassification(outputs: readonly RequestedOutput[]): void {
  for (const { name, spec, classCount } of outputs) {
    if (classCount === 0 || spec.datatype !== "BYTES") continue;
    const message = `the output ${JSON.stringify(name)} is text, which has no largest element`;
    throw new MillraceError("INVALID_BODY", `Cannot classify: ${message}`, {
      problems: [{ location: ["body", "outputs"], message, type: "parameter" }],
    });
  }
}

/**
 * An output as the classification extension wants it: per row its largest elements, largest first, as the texts
 * `<value>:<index>` or `<value>:<index>:<label>`.
 *
 * @param tensor numbers, `[batch, …]` when the model declares its batch, else one row.
 * @param labels by index; undefined leaves them out.
 * @returns BYTES, `[batch, k]` or `[k]`, where k is `classCount`, or fewer when a row has fewer elements.
 */
export function classify(
  tensor: Tensor,
  { spec, classCount }: Pick<RequestedOutput, "spec" | "classCount">,
  labels: readonly string[] | undefined,
): Tensor {
  const hasBatch = spec.shape[0] === -1;
  const rowCount = hasBatch ? (tensor.shape[0] ?? 1) : 1;
  const size = rowCount === 0 ? 0 : tensor.data.length / rowCount;
  const k = Math.min(classCount, size);
  const scores = scoresOf(tensor);
  const places: number[] = [];
  for (let row = 0; row < rowCount; row++) addLargest(scores, [row * size, size, k], places);
  const values = textsOf(tensor, scores, places);
  const data = places.map((place, i) => {
    const index = place % size;
    const label = labels?.[index];
    return `${values[i] ?? ""}:${index}${label === undefined ? "" : `:${label}`}`;
  });
  return { name: tensor.name, datatype: "BYTES", shape: hasBatch ? [rowCount, k] : [k], data };
}

/** Adds the places of a row's `k` largest elements: the first of equal ones first, NaN as the smallest. */
function addLargest(
  scores: ArrayLike<number>,
  [start, size, k]: readonly [start: number, size: number, k: number],
  places: number[],
): void {
  const row = Array.from({ length: size }, (_, index) => start + index);
  const rank = (place: number): number => {
    const score = scores[place] as number;
    return Number.isNaN(score) ? -Infinity : score;
  };
  row.sort((a, b) => rank(b) - rank(a) || a - b); // ∞ − ∞ is NaN, which counts as equal
  for (let i = 0; i < k; i++) places.push(row[i] as number);
}

function scoresOf({ datatype, data }: Tensor): Float32Array | Float64Array {
  switch (datatype) {
    case "FP32":
    case "FP64":
      return data as Float32Array;
    case "FP16":
      return Float32Array.from(data as Uint16Array, halfToNumber);
    case "BF16": {
      const bits = Uint32Array.from(data as Uint16Array, (half) => half << 16);
      return new Float32Array(bits.buffer);
    }
    default:
      return Float64Array.from(data as BigInt64Array, Number);
  }
}

/** IEEE 754 half precision: sign, 5 bits of exponent, 10 of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Whole numbers with every digit, floating ones with the fewest digits that still are them. */
function textsOf(tensor: Tensor, scores: ArrayLike<number>, places: readonly number[]): string[] {
  if (!tensor.datatype.includes("FP") && tensor.datatype !== "BF16") {
    return places.map((place) => String(tensor.data[place]));
  }
  const winners = places.map((place) => scores[place] as number);
  if (tensor.datatype === "FP64") return winners.map(String);
  const data = Float32Array.from(winners);
  const short = withShortNumbers({ ...tensor, datatype: "FP32", data });
  return Array.from(short.data as Float64Array, String);
}
