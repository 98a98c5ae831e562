import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { MillraceError } from "../../core/errors.ts";
import { frameToTensors } from "../../core/tensor/frame.ts";
import { readCsv } from "../../core/tensor/read-csv.ts";
import { readScoring } from "../../core/tensor/read-scoring.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { nestedJson } from "../../core/tensor/write-json.ts";
import { MILLRACE_VERSION } from "../../version.ts";
import type { DataPlane, Target } from "../data-plane.ts";
import { bodyBytes, jsonBody, mediaTypeOf } from "./json-body.ts";
import { setPredictionHeaders } from "./prediction-headers.ts";
import { callOf } from "./request-call.ts";

/**
 * Routes that other servers' clients know: `/v1/models/{m}:predict` (TensorFlow Serving, KServe V1) and
 * MLflow's `/invocations`.
 */
export function addScoringRoutes(
  app: FastifyInstance,
  plane: DataPlane,
  isReady: () => boolean,
): void {
  const infer = { config: { scope: "infer" } } as const;
  const read = { config: { scope: "read" } } as const;
  const probe = { config: { scope: "none" } } as const;

  app.post("/v1/models/:modelAndVerb", infer, async (request, reply) => {
    const { modelAndVerb } = request.params as { modelAndVerb: string };
    const [model, verb] = splitVerb(modelAndVerb);
    if (verb !== "predict") throw unknownVerb(request, verb);
    const target = plane.target(plane.service(model));
    const names = columnNames(plane, target);
    const body = jsonBody(request);
    const inputs = readScoring(body, target.version.inputs, ["instances"], names);
    return predictions(plane, target, inputs, { request, reply });
  });

  app.get("/v1/models/:model", read, async (request) => {
    const { model } = request.params as { model: string };
    const service = plane.service(model);
    const { versions } = plane.models.model(service.model);
    return {
      name: model,
      ready: versions.length > 0,
      model_version_status: versions.map((version) => ({
        version: String(version.version),
        state: "AVAILABLE",
        status: { error_code: "OK", error_message: "" },
      })),
    };
  });

  app.post("/invocations", infer, async (request, reply) => {
    const service = plane.defaultService;
    if (service === undefined) {
      const message = "Cannot choose a service: none is the default, set services.<name>.default";
      throw new MillraceError("MODEL_NOT_FOUND", message);
    }
    const target = plane.target(service);
    const inputs = readInvocation(request, target, columnNames(plane, target));
    return predictions(plane, target, inputs, { request, reply });
  });

  app.get("/ping", probe, async (_request, reply) => {
    void reply.code(isReady() ? 200 : 503).header("content-type", "application/json");
    return "\n";
  });
  app.get("/version", probe, async (_request, reply) => {
    void reply.header("content-type", "text/plain; charset=utf-8");
    return MILLRACE_VERSION;
  });
}

const MLFLOW_MEMBERS = ["dataframe_split", "dataframe_records", "instances", "inputs"] as const;

type ColumnNames = (input: string) => readonly string[] | undefined;

function readInvocation(request: FastifyRequest, target: Target, names: ColumnNames): Tensor[] {
  const { inputs } = target.version;
  if (mediaTypeOf(request) !== "text/csv") {
    return readScoring(jsonBody(request), inputs, MLFLOW_MEMBERS, names);
  }
  return frameToTensors(readCsv(new TextDecoder().decode(bodyBytes(request))), inputs, names);
}

async function predictions(
  plane: DataPlane,
  target: Target,
  inputs: readonly Tensor[],
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
): Promise<string> {
  const outputNames = [target.version.predictionOutput.name];
  const call = callOf(plane, request, reply);
  const prediction = await plane.infer(target, inputs, outputNames, call);
  setPredictionHeaders(request, reply, prediction);
  return `{"predictions":${nestedJson(prediction.outputs[0] as Tensor)}}`;
}

function columnNames(plane: DataPlane, target: Target): ColumnNames {
  const { config } = plane.models.model(target.version.modelName);
  return (input) => config.inputs[input]?.names;
}

/** `iris:predict` → `iris` and `predict`. */
function splitVerb(segment: string): [model: string, verb: string] {
  const colon = segment.lastIndexOf(":");
  return colon < 0 ? [segment, ""] : [segment.slice(0, colon), segment.slice(colon + 1)];
}

function unknownVerb(request: FastifyRequest, verb: string): MillraceError {
  const found = verb === "" ? "none" : `"${verb}"`;
  return new MillraceError(
    "ROUTE_NOT_FOUND",
    `Cannot find the route ${request.method} ${request.url}: the verb is ${found}, expected ":predict"`,
  );
}
