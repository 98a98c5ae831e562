import { areByRow, type ComparedOutputs } from "../../core/compare/compared-rows.ts";
import { EXPANDED_ROWS_MAX } from "../../core/predictions/log-rows.ts";
import { checkTensors } from "../../core/tensor/check-tensors.ts";
import { sliceRows } from "../../core/tensor/rows.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Predictor } from "../../models/predictor.ts";
import type { ComparedPair } from "../../ports/comparator-source.ts";
import type { Job } from "../answers.ts";

/** Rows of a request that are compared; of more it is the first ones. */
const COMPARED_ROWS_MAX = EXPANDED_ROWS_MAX;

/** Outputs that the shadow is to give, and what they are compared with. */
export interface AskedOutputs {
  readonly names: readonly string[];
  /** Were those asked for that are the prediction? Else outputs are compared by their names. */
  readonly isPrediction: boolean;
}

/** The prediction where that was asked for, whatever its outputs are called; else the same outputs, if it has them. */
export function askedOfShadow(job: Job, shadow: Predictor): AskedOutputs {
  const { predictor, outputNames } = job;
  const own = predictor.predictionNames;
  if (outputNames === own || own.every((name) => outputNames.includes(name))) {
    return { names: shadow.predictionNames, isPrediction: true };
  }
  const names = outputNames.map((name) => shadow.findOutput(name)?.name ?? "");
  const isKnown = !names.includes("");
  return { names: isKnown ? names : shadow.predictionNames, isPrediction: false };
}

/**
 * The inputs as the shadow takes them; a single one may be called otherwise.
 * @throws INVALID_TENSOR when it takes others.
 */
export function inputsOfShadow(inputs: readonly Tensor[], shadow: Predictor): readonly Tensor[] {
  const [only] = inputs;
  const [spec] = shadow.inputs;
  const isSingle = inputs.length === 1 && shadow.inputs.length === 1;
  if (isSingle && only !== undefined && spec !== undefined && only.name !== spec.name) {
    return checkTensors([{ ...only, name: spec.name }], shadow.inputs);
  }
  return checkTensors(inputs, shadow.inputs);
}

export interface PairOutputs {
  readonly job: Job;
  readonly asked: AskedOutputs;
  readonly shadow: Predictor;
  readonly answerOutputs: readonly Tensor[];
  readonly shadowOutputs: readonly Tensor[];
  readonly rowCount: number;
}

/** What is laid side by side. */
export function comparedPair(pair: PairOutputs): ComparedPair {
  const { job, asked, shadow, answerOutputs, shadowOutputs, rowCount } = pair;
  const { predictor } = job;
  const own = asked.isPrediction
    ? answerOutputs.filter(({ name }) => predictor.predictionNames.includes(name))
    : answerOutputs;
  const ownNames = asked.isPrediction ? predictor.predictionNames : job.outputNames;
  const isByRow = areByRow(own, rowCount) && areByRow(shadowOutputs, rowCount);
  const rows = Math.min(rowCount, COMPARED_ROWS_MAX);
  const cut = (tensors: readonly Tensor[]): readonly Tensor[] =>
    isByRow && rows < rowCount ? tensors.map((one) => sliceRows(one, 0, rows)) : tensors;
  const compared = (
    from: Predictor,
    outputs: readonly Tensor[],
    names: readonly string[],
  ): ComparedOutputs => ({
    outputs: cut(outputs),
    names,
    isAlone: asked.isPrediction && names.length === 1,
    predictionOutputs: from.predictionNames,
    labels: from.labels,
  });
  return {
    predictionId: job.call.predictionId,
    answer: compared(predictor, own, ownNames),
    shadow: compared(shadow, shadowOutputs, asked.names),
    rowCount: isByRow ? rows : undefined,
  };
}
