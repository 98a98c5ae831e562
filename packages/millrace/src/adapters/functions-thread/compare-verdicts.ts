import { comparedRows } from "../../core/compare/compared-rows.ts";
import type { ComparedPrediction, Comparison } from "../../core/compare/comparison.ts";
import { readComparison } from "../../core/compare/read-comparison.ts";
import { messageOf } from "../../core/message-of.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import type { TensorGroup } from "./thread-messages.ts";

/** What comes back from the thread of a comparison, a row of each for each row: NaN and "" are none. */
export const VERDICT_SPECS: readonly TensorSpec[] = [
  { name: "agreed", datatype: "BOOL", shape: [-1] },
  { name: "distance", datatype: "FP64", shape: [-1] },
  { name: "detail", datatype: "BYTES", shape: [-1] },
];

/** Of the text of a detail. */
const DETAIL_LENGTH_MAX = 512;

/** Compares row by row. One that throws differs, and says so: the comparison is wrong, not the prediction. */
export async function compareGroups(
  compare: (...given: unknown[]) => unknown,
  groups: readonly TensorGroup[],
): Promise<Tensor[]> {
  const [answers, shadows] = groups.map(rowsOf) as [Rows, Rows];
  const verdicts: Comparison[] = [];
  for (const [row, answer] of answers.entries()) {
    const shadow = shadows[row];
    verdicts.push(await compareRow(compare, answer, shadow ?? NOTHING));
  }
  return writeVerdicts(verdicts);
}

type Rows = readonly ComparedPrediction[];

const NOTHING: ComparedPrediction = { value: null, label: undefined };

async function compareRow(
  compare: (...given: unknown[]) => unknown,
  answer: ComparedPrediction,
  shadow: ComparedPrediction,
): Promise<Comparison> {
  try {
    return readComparison(await compare(plain(answer), plain(shadow)));
  } catch (error) {
    return { isAgreed: false, detail: `the comparison failed: ${messageOf(error)}` };
  }
}

/** Its members are its own, so that a function may spread or print it. */
function plain({ value, label }: ComparedPrediction): ComparedPrediction {
  return { value, label };
}

function rowsOf({ tensors, labels, compared }: TensorGroup): Rows {
  if (compared === undefined) return [];
  return comparedRows({ outputs: tensors, labels, ...compared }, compared.rowCount);
}

function writeVerdicts(verdicts: readonly Comparison[]): Tensor[] {
  const shape = [verdicts.length];
  const agreed = Uint8Array.from(verdicts, ({ isAgreed }) => (isAgreed ? 1 : 0));
  const distance = Float64Array.from(verdicts, (verdict) => verdict.distance ?? NaN);
  const detail = verdicts.map((verdict) => (verdict.detail ?? "").slice(0, DETAIL_LENGTH_MAX));
  return [
    { name: "agreed", datatype: "BOOL", shape, data: agreed },
    { name: "distance", datatype: "FP64", shape, data: distance },
    { name: "detail", datatype: "BYTES", shape, data: detail },
  ];
}

/** @returns one a row. */
export function readVerdicts(tensors: readonly Tensor[]): readonly Comparison[] {
  const [agreed, distances, details] = tensors.map(({ data }) => data);
  return Array.from(agreed as Uint8Array, (one, row) => {
    const distance = distances?.[row] as number;
    const detail = details?.[row] as string;
    return {
      isAgreed: one === 1,
      ...(Number.isNaN(distance) ? {} : { distance }),
      ...(detail === "" ? {} : { detail }),
    };
  });
}
