import { MillraceError } from "../../core/errors.ts";
import { encodeMessage } from "../../core/protobuf/message-type.ts";
import { matchInputs } from "../../core/tensor/match-inputs.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Logger } from "../../ports/logger.ts";
import type { DataPlane, Target } from "../data-plane.ts";
import { outputOf } from "../oip/output-of.ts";
import { PRIORITY_DEFAULT, type Prediction } from "../prediction.ts";
import { checkClassification, classify } from "../oip/classification.ts";
import { readInferOptions } from "../oip/infer-parameters.ts";
import { requestedOutputs, type RequestedOutput } from "../oip/requested-outputs.ts";
import { versionNumber } from "../oip/target-of.ts";
import { readInferRequest, type InferRequest } from "./infer-request.ts";
import { inferResponseFrame } from "./infer-response.ts";
import { ModelStreamInferResponse } from "./inference-messages.ts";
import { frameOf } from "./message-frames.ts";
import { RpcAttributes } from "./rpc-attributes.ts";
import type { RpcCall, StreamRpc, UnaryRpc } from "./rpc.ts";
import { statusOf, STATUS, toMillraceError } from "./status.ts";
import { tracedRpc, type MessageTrace } from "./traced-rpc.ts";

/** `ModelInfer`: one request, one reply. */
export function modelInfer(plane: DataPlane): UnaryRpc {
  return {
    kind: "unary",
    scope: "infer",
    async run(message, call) {
      const predictionId = plane.newPredictionId();
      call.predictionId = predictionId;
      const { receivedMs, timeoutMs, cancellation } = call;
      return tracedRpc(plane, { call, predictionId, receivedMs }, async (trace) => {
        const request = readInferRequest(message);
        const bodyBytes = message.length;
        const endpoint = "ModelInfer";
        const due = { endpoint, predictionId, receivedMs, timeoutMs, cancellation, trace };
        const answer = await infer(plane, request, { ...due, bodyBytes }, call);
        call.prediction = answer.prediction;
        return inferResponseFrame({ ...answer, id: request.id, saysFinal: false }, false);
      });
    },
  };
}

/**
 * `ModelStreamInfer`: each request is answered with one reply, in order. A request that fails is answered with
 * its error, and the stream goes on.
 */
export function modelStreamInfer(plane: DataPlane, log: Logger): StreamRpc {
  return {
    kind: "stream",
    scope: "infer",
    async run(message, call) {
      const receivedMs = plane.clock.nowMs();
      const predictionId = plane.newPredictionId();
      let request: InferRequest | undefined;
      try {
        return await tracedRpc(plane, { call, predictionId, receivedMs }, async (trace) => {
          request = readInferRequest(message);
          const bodyBytes = message.length;
          const timeoutMs = call.timeoutMs && call.timeoutMs - (receivedMs - call.receivedMs);
          const { cancellation } = call;
          const endpoint = "ModelStreamInfer";
          const due = { endpoint, predictionId, receivedMs, timeoutMs, cancellation, trace };
          const answer = await infer(plane, request, { ...due, bodyBytes }, call);
          const { id } = request;
          return inferResponseFrame({ ...answer, id, saysFinal: wantsFinal(request) }, true);
        });
      } catch (error) {
        const known = toMillraceError(error);
        if (statusOf(known.code) === STATUS.INTERNAL) {
          log.error({ err: known.cause ?? known, code: known.code, predictionId }, known.message);
        }
        return errorFrame(known, request);
      }
    },
  };
}

type Due = Pick<RpcCall, "receivedMs" | "timeoutMs" | "cancellation"> & {
  readonly endpoint: string;
  readonly predictionId: string;
  readonly bodyBytes: number;
  readonly trace: MessageTrace;
};

interface Answer {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly outputs: readonly Tensor[];
  readonly prediction: Prediction;
}

async function infer(
  plane: DataPlane,
  request: InferRequest,
  due: Due,
  call: RpcCall,
): Promise<Answer> {
  const target = routedTarget(plane, request, due, call);
  const { service, predictor } = target;
  const options = readInferOptions(request.parameters, ["parameters"]);
  const { priority = PRIORITY_DEFAULT } = options;
  const outputs = requestedOutputs(predictor, request.outputs);
  checkClassification(outputs);
  const inputs = matchInputs(request.inputs, predictor.inputs, []);
  const { endpoint, predictionId, receivedMs, cancellation, bodyBytes } = due;
  const timeoutMs = smaller(due.timeoutMs, options.timeoutMs);
  const prediction = await plane.infer(
    target,
    inputs,
    outputs.map(({ spec }) => spec.name),
    {
      predictionId,
      endpoint,
      requestId: requestIdOf(call),
      attributes: undefined,
      receivedMs,
      priority,
      timeoutMs,
      cancellation,
      bodyBytes,
      ...due.trace,
    },
  );
  return {
    modelName: service.name,
    modelVersion: String(predictor.version),
    outputs: answered(target, prediction, outputs),
    prediction,
  };
}

/** The model version that answers, as the service's rules and its experiment decide unless the call names a version. */
function routedTarget(plane: DataPlane, request: InferRequest, due: Due, call: RpcCall): Target {
  const service = plane.services.get(request.modelName);
  const { requestTrace } = due.trace;
  if (requestTrace !== undefined) requestTrace.service = service.name;
  const version = versionNumber(request.modelName, request.modelVersion);
  if (plane.readsOf(service) === "nothing") return plane.target(service, { version });
  const attributes = new RpcAttributes(call, due.predictionId);
  return plane.target(service, { version, attributes, facts: call });
}

/** As the client sent it; gRPC has none of its own. */
function requestIdOf({ metadata }: RpcCall): string | undefined {
  const id = metadata["x-request-id"];
  return typeof id === "string" ? id : undefined;
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}

/** The outputs under the names the client used, as classes where it asked for classes. */
function answered(
  { predictor }: Target,
  prediction: Prediction,
  requested: readonly RequestedOutput[],
): Tensor[] {
  return requested.flatMap((wanted, i) => {
    const tensor = outputOf(prediction, wanted.spec.name, i);
    if (tensor === undefined) return [];
    const shown = wanted.classCount === 0 ? tensor : classify(tensor, wanted, predictor.labels);
    return shown.name === wanted.name ? shown : { ...shown, name: wanted.name };
  });
}

/** Some clients count replies by a mark at the last one; here every reply is the last of its request. */
function wantsFinal({ parameters }: InferRequest): boolean {
  return parameters?.["triton_enable_empty_final_response"] === true;
}

function errorFrame(error: MillraceError, request: InferRequest | undefined): Buffer {
  const final = { triton_final_response: { bool_param: true } };
  const parameters = request !== undefined && wantsFinal(request) ? final : {};
  const infer_response = { id: request?.id ?? "", parameters };
  return frameOf(
    encodeMessage(ModelStreamInferResponse, { error_message: error.message, infer_response }),
  );
}
