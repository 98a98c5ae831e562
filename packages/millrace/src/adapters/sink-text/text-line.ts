import { isExpanded } from "../../core/predictions/log-rows.ts";
import type { LoggedPrediction } from "../../core/predictions/logged-prediction.ts";
import { shortNestedJson, shortRowJson } from "../../core/tensor/short-json.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";

/** Characters of the data, and of the prediction, in a line; what is longer ends with an ellipsis. */
export const FIELD_CHARACTERS_MAX = 4_096;
/** Elements of one tensor that are looked at: with two characters each they fill a field. */
const ELEMENTS_MAX = FIELD_CHARACTERS_MAX / 2;

/** What is missing, as Python writes it. */
const NONE = "None";

/**
 * A prediction as lines, one for each of its rows, in the form of Python's `logging`; each ends with a line feed:
 *
 * `[time] [level] [process] [name] [function] [line] [endpoint] [id] [1.234 ms] [data] [prediction] [is outlier] [score]`
 *
 * The time is UTC; the process is the number of the serve process; the function is the service; there is no line, so it
 * is 0. Data and prediction are JSON. A prediction that failed has the level ERROR and its code at the end.
 * @param writer that logged it: `p0-01992f3c7a5e`.
 */
export function textLines(record: LoggedPrediction, writer: string): string {
  const { rowCount } = record;
  if (rowCount === 1 || !isExpanded(record)) return textLine(record, writer, undefined);
  let lines = "";
  for (let row = 0; row < rowCount; row++) lines += textLine(record, writer, row);
  return lines;
}

/** @param row undefined for all there are. */
function textLine(record: LoggedPrediction, writer: string, row: number | undefined): string {
  const { context, errorCode, predictionId, isOutlier, outlierScore } = record;
  const fields = [
    timeText(record.receivedUs),
    errorCode === undefined ? "INFO" : "ERROR",
    /^p(\d+)-/.exec(writer)?.[1] ?? "0",
    "millrace",
    context.service,
    "0",
    context.endpoint,
    row === undefined ? predictionId : `${predictionId}#${row}`,
    `${(record.totalUs / 1000).toFixed(3)} ms`,
    dataText(record, row),
    predictionText(record, row),
    isOutlier === undefined ? NONE : isOutlier ? "True" : "False",
    outlierScore === undefined ? NONE : String(outlierScore),
  ];
  if (errorCode !== undefined) fields.push(errorCode);
  return `${oneLine(fields.map((field) => `[${field}]`).join(" "))}\n`;
}

/** `2026-11-21 16:59:15,123`, UTC. */
function timeText(receivedUs: number): string {
  const text = new Date(receivedUs / 1000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 19)},${text.slice(20, 23)}`;
}

/** As `data` of a request of this row, or of all of them. */
function dataText({ inputs, rowCount }: LoggedPrediction, row: number | undefined): string {
  if (inputs === undefined) return NONE;
  return tensorsText(inputs, (input) =>
    row === undefined || input.shape[0] !== rowCount
      ? nestedJson(input)
      : `[${shortRowJson(input, row)}]`,
  );
}

/** As `/predict` answers it: of one row that row, of several outputs an object. */
function predictionText(record: LoggedPrediction, row: number | undefined): string {
  const { context, outputs, rowCount, summary } = record;
  if (outputs === undefined) {
    const labels = summary?.labels;
    if (labels === undefined) return NONE;
    return cut(
      JSON.stringify(rowCount === 1 ? labels[0] : row === undefined ? labels : labels[row]),
    );
  }
  const shown = outputs.filter(({ name }) => context.predictionOutputs.includes(name));
  if (shown.length === 0) return NONE;
  const shownRow = rowCount === 1 ? 0 : row;
  return tensorsText(shown, (output) =>
    shownRow === undefined || output.shape[0] !== rowCount
      ? nestedJson(output)
      : shortRowJson(output, shownRow),
  );
}

/** One as it is, several as an object. */
function tensorsText(tensors: readonly Tensor[], jsonOf: (tensor: Tensor) => string): string {
  const [first] = tensors;
  if (tensors.length === 1 && first !== undefined) return cut(jsonOf(first));
  const members = tensors.map((tensor) => `${JSON.stringify(tensor.name)}:${jsonOf(tensor)}`);
  return cut(`{${members.join(",")}}`);
}

/** Of a large tensor its first elements: what is longer is cut anyway. */
function nestedJson(tensor: Tensor): string {
  if (tensor.data.length <= ELEMENTS_MAX) return shortNestedJson(tensor);
  const data = tensor.data.slice(0, ELEMENTS_MAX);
  return shortNestedJson({ ...tensor, shape: [ELEMENTS_MAX], data } as Tensor);
}

function cut(text: string): string {
  return text.length <= FIELD_CHARACTERS_MAX ? text : `${text.slice(0, FIELD_CHARACTERS_MAX)}…`;
}

/** Everything that some reader takes for the end of a line. */
const LINE_BREAKS = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

function oneLine(text: string): string {
  return text.replace(
    LINE_BREAKS,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
