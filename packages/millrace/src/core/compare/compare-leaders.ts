import type { Tensor } from "../tensor/tensor.ts";
import type { ComparedOutputs } from "./compared-rows.ts";
import type { Comparison } from "./comparison.ts";

/**
 * What `compareLabel` would say of scores without labels, looked at as they lie in memory.
 * @returns undefined for what is no prediction of scores, which is left to that.
 */
export function compareLeaders(
  answer: ComparedOutputs,
  shadow: ComparedOutputs,
  rowCount: number | undefined,
): Comparison | undefined {
  if (answer.labels !== undefined && shadow.labels !== undefined) return undefined;
  const one = scoresOf(answer);
  const other = scoresOf(shadow);
  if (one === undefined || other === undefined) return undefined;
  const rows = rowCount ?? 1;
  const size = one.length / rows;
  const otherSize = other.length / rows;
  if (!(size > 1) || !(otherSize > 1)) return undefined;
  for (let row = 0; row < rows; row++) {
    const first = leaderOf(one, row * size, size);
    const second = leaderOf(other, row * otherSize, otherSize);
    if (first === second) continue;
    return { isAgreed: false, detail: `class ${first} → class ${second}` };
  }
  return { isAgreed: true };
}

function scoresOf({ outputs, isAlone }: ComparedOutputs): Float32Array | Float64Array | undefined {
  const [only] = outputs as readonly Tensor[];
  if (!isAlone || outputs.length !== 1 || only === undefined) return undefined;
  const { data } = only;
  return data instanceof Float32Array || data instanceof Float64Array ? data : undefined;
}

/** The first one where several are equal; what is missing, as NaN is, is the smallest. */
function leaderOf(scores: Float32Array | Float64Array, from: number, size: number): number {
  let leader = 0;
  let largest = -Infinity;
  for (let i = 0; i < size; i++) {
    const score = scores[from + i] as number;
    if (score > largest && score < Infinity) {
      largest = score;
      leader = i;
    }
  }
  return leader;
}
