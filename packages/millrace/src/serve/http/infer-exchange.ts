import { MillraceError } from "../../core/errors.ts";
import { checkByteOrder } from "../../core/tensor/raw-tensor.ts";
import { readInferRequest, type InferRequest } from "../../core/tensor/read-infer-request.ts";
import { readRawRequest } from "../../core/tensor/read-raw-request.ts";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import type { DataPlane, Target } from "../data-plane.ts";
import type { Call, Prediction } from "../prediction.ts";
import { checkClassification, classify } from "../oip/classification.ts";
import { readInferOptions, type InferOptions } from "../oip/infer-parameters.ts";
import { outputOf } from "../oip/output-of.ts";
import { requestedOutputs, type RequestedOutput } from "../oip/requested-outputs.ts";
import { versionNumber } from "../oip/target-of.ts";
import { encodeAnswer, readBody } from "./content-encoding.ts";
import type { Answer, Exchange, ExchangeHandler } from "./exchange.ts";
import { writeInferReply, type ReplyOutput } from "./infer-reply.ts";
import { checkJsonMediaType } from "./json-body.ts";
import { JSON_TYPE, predictionHeaders } from "./prediction-headers.ts";
import { callOf } from "./request-call.ts";
import { routedTarget } from "./routed-target.ts";

/** `POST /v2/models/{model}[/versions/{version}]/infer`, with JSON and binary tensors both ways. */
export function inferExchange(plane: DataPlane): ExchangeHandler {
  checkByteOrder();
  return async (exchange) => {
    // Binary inputs may be views of the body; nobody reads it again, and its memory is of this request alone.
    const call = callOf(plane, exchange, "/v2/infer", true);
    const model = exchange.service ?? "";
    const version = versionNumber(model, exchange.version);
    const target = await routedTarget(plane, plane.services.get(model), exchange, { version });
    const body = readBody(exchange);
    const bytes = body instanceof Uint8Array ? body : await body;
    const { id, inputs, outputs, options } = readRequest(exchange, bytes, target);
    const names = namesOf(outputs, target);
    const prediction = await plane.infer(target, inputs, names, withOptions(call, options));
    exchange.prediction = prediction;
    const answer = inferAnswer(target, prediction, { id, outputs });
    return encodeAnswer(answer, exchange.header("accept-encoding"));
  };
}

/** An output whose form is settled. */
interface AnswerOutput extends RequestedOutput {
  readonly isBinary: boolean;
}

interface CheckedRequest extends Pick<InferRequest, "id" | "inputs"> {
  readonly outputs: readonly AnswerOutput[];
  readonly options: InferOptions;
}

/** Reads and checks all there is, so that nothing wrong with the request shows only after the model ran. */
function readRequest(exchange: Exchange, bytes: Uint8Array, { predictor }: Target): CheckedRequest {
  const jsonBytes = jsonBytesOf(exchange, bytes);
  const isRaw = jsonBytes === 0;
  const request = isRaw
    ? rawRequest(bytes, predictor.inputs)
    : readParts(exchange, bytes, jsonBytes, predictor.inputs);
  const options = readInferOptions(request.parameters);
  const isBinaryByDefault = isRaw || options.isBinaryByDefault;
  const outputs = requestedOutputs(predictor, request.outputs).map((output) => ({
    ...output,
    isBinary: output.isBinary ?? isBinaryByDefault,
  }));
  checkClassification(outputs);
  checkJsonForms(outputs);
  return { id: request.id, inputs: request.inputs, outputs, options };
}

/** @returns bytes of JSON at the front of a body with binary tensors; undefined when all of it is JSON. */
function jsonBytesOf(exchange: Exchange, bytes: Uint8Array): number | undefined {
  const text = exchange.header("inference-header-content-length");
  if (text === undefined) return undefined;
  const jsonBytes = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (jsonBytes <= bytes.length) return jsonBytes;
  const message = `found ${JSON.stringify(text)}, expected 0 to ${bytes.length}, the length of the body`;
  throw new MillraceError(
    "INVALID_HEADER",
    `Cannot read header inference-header-content-length: ${message}`,
    {
      problems: [
        { location: ["header", "inference-header-content-length"], message, type: "range" },
      ],
    },
  );
}

function rawRequest(bytes: Uint8Array, specs: readonly TensorSpec[]): InferRequest {
  const inputs = [readRawRequest(bytes, specs)];
  return { id: undefined, inputs, outputs: undefined, parameters: undefined };
}

function readParts(
  exchange: Exchange,
  bytes: Uint8Array,
  jsonBytes: number | undefined,
  specs: readonly TensorSpec[],
): InferRequest {
  if (jsonBytes === undefined) {
    checkJsonMediaType(exchange);
    return readInferRequest(bytes, specs);
  }
  return readInferRequest(bytes.subarray(0, jsonBytes), specs, bytes.subarray(jsonBytes));
}

/** @throws INVALID_BODY for an output that JSON cannot carry. */
function checkJsonForms(outputs: readonly AnswerOutput[]): void {
  for (const { name, spec, isBinary, classCount } of outputs) {
    if (isBinary || classCount > 0) continue;
    if (spec.datatype !== "FP16" && spec.datatype !== "BF16") continue;
    const message = `the output ${JSON.stringify(name)} is ${spec.datatype}, which has no JSON form`;
    throw new MillraceError(
      "INVALID_BODY",
      `Cannot answer in JSON: ${message}, ask for it with the parameter binary_data`,
      { problems: [{ location: ["body", "outputs"], message, type: "datatype" }] },
    );
  }
}

/** Names of the outputs; the version's own array where that says the same, since the scheduler knows it again. */
function namesOf(outputs: readonly AnswerOutput[], { predictor }: Target): readonly string[] {
  const { outputNames } = predictor;
  const isAll =
    outputs.length === outputNames.length &&
    outputs.every(({ spec }, i) => spec.name === outputNames[i]);
  return isAll ? outputNames : outputs.map(({ spec }) => spec.name);
}

function withOptions(call: Call, { priority, timeoutMs }: InferOptions): Call {
  if (priority === undefined && timeoutMs === undefined) return call;
  return {
    ...call,
    priority: priority ?? call.priority,
    timeoutMs:
      timeoutMs === undefined ? call.timeoutMs : Math.min(timeoutMs, call.timeoutMs ?? Infinity),
  };
}

function inferAnswer(
  { service, predictor }: Target,
  prediction: Prediction,
  request: Pick<CheckedRequest, "id" | "outputs">,
): Answer {
  const outputs = request.outputs.flatMap((output, i): ReplyOutput | readonly [] => {
    const { name, spec, isBinary, classCount } = output;
    const tensor = outputOf(prediction, spec.name, i);
    if (tensor === undefined) return [];
    if (classCount === 0) return { name, tensor, isBinary };
    const labels = spec.name === predictor.predictionOutput?.name ? predictor.labels : undefined;
    return { name, tensor: classify(tensor, output, labels), isBinary };
  });
  const { bytes, jsonBytes } = writeInferReply({
    modelName: service.name,
    modelVersion: String(predictor.version),
    id: request.id,
    outputs,
  });
  const facts = predictionHeaders(prediction);
  const headers =
    jsonBytes === undefined
      ? [JSON_TYPE, ...facts]
      : [BINARY_TYPE, ["inference-header-content-length", String(jsonBytes)] as const, ...facts];
  return { status: 200, headers, body: bytes };
}

const BINARY_TYPE = ["content-type", "application/octet-stream"] as const;
