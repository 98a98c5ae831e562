import type { ServiceConfig } from "../../config/config.ts";
import { frameToTensors } from "../../core/tensor/frame.ts";
import { readCsv } from "../../core/tensor/read-csv.ts";
import { readScoring, type ScoringMember } from "../../core/tensor/read-scoring.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { DataPlane, Target } from "../data-plane.ts";
import { encodeAnswer, readBody } from "./content-encoding.ts";
import type { Answer, Exchange } from "./exchange.ts";
import { checkJsonMediaType, mediaTypeOf } from "./json-body.ts";
import { JSON_TYPE, predictionHeaders } from "./prediction-headers.ts";
import { rowsJson } from "./prediction-json.ts";
import { callOf } from "./request-call.ts";
import { routedTarget } from "./routed-target.ts";

/** What stands in the body of a scoring request: JSON with one of some members, or CSV. */
export interface ScoringForm {
  /** As in `Call`. */
  readonly endpoint: string;
  /** Members that hold rows; a body has one of them. */
  readonly members: readonly ScoringMember[];
  readonly takesCsv: boolean;
}

type ColumnNames = (input: string) => readonly string[] | undefined;

/**
 * Predicts in the form `{"predictions": …}` of TensorFlow Serving, KServe V1 and MLflow.
 * @param service called with the request's id known, so that its errors carry it.
 */
export async function scoringAnswer(
  plane: DataPlane,
  exchange: Exchange,
  service: () => ServiceConfig,
  form: ScoringForm,
): Promise<Answer> {
  const call = callOf(plane, exchange, form.endpoint, true);
  const found = await routedTarget(plane, service(), exchange);
  const { predictor } = found;
  const inputs = await readInputs(exchange, found, columnNames(found), form);
  const prediction = await plane.infer(found, inputs, predictor.predictionNames, call);
  exchange.prediction = prediction;
  const body = `{"predictions":${rowsJson(prediction)}}`;
  const answer = { status: 200, headers: [JSON_TYPE, ...predictionHeaders(prediction)], body };
  return encodeAnswer(answer, exchange.header("accept-encoding"));
}

async function readInputs(
  exchange: Exchange,
  { predictor }: Target,
  names: ColumnNames,
  { members, takesCsv }: ScoringForm,
): Promise<Tensor[]> {
  const isCsv = takesCsv && mediaTypeOf(exchange) === "text/csv";
  if (!isCsv) checkJsonMediaType(exchange);
  const bytes = await readBody(exchange);
  if (!isCsv) return readScoring(bytes, predictor.inputs, members, names);
  return frameToTensors(readCsv(new TextDecoder().decode(bytes)), predictor.inputs, names);
}

function columnNames({ predictor }: Target): ColumnNames {
  return (input) => predictor.inputConfig(input)?.names;
}
