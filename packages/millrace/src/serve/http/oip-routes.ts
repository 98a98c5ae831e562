import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { MillraceError } from "../../core/errors.ts";
import { readInferRequest } from "../../core/tensor/read-infer-request.ts";
import type { TensorSpec } from "../../core/tensor/tensor.ts";
import { flatJson } from "../../core/tensor/write-json.ts";
import type { ModelVersion } from "../../models/model-version.ts";
import { MILLRACE_VERSION } from "../../version.ts";
import type { DataPlane, Prediction, Target } from "../data-plane.ts";
import { jsonBody } from "./json-body.ts";
import { setPredictionHeaders } from "./prediction-headers.ts";
import { callOf } from "./request-call.ts";
import { statisticsOf } from "./statistics-reply.ts";

interface ModelParams {
  readonly model: string;
  readonly version?: string;
}

/** Extensions of the Open Inference Protocol that are really served. */
const EXTENSIONS = ["model_repository", "statistics"];

/** Core of the Open Inference Protocol V2 over REST; a service is a model here too. */
export function addOipRoutes(app: FastifyInstance, plane: DataPlane, isReady: () => boolean): void {
  const probe = { config: { scope: "none" } } as const;
  const read = { config: { scope: "read" } } as const;
  const infer = { config: { scope: "infer" } } as const;
  app.get("/v2", read, async () => ({
    name: "millrace",
    version: MILLRACE_VERSION,
    extensions: EXTENSIONS,
  }));
  // Both keys at once: the specification says "live", KServe's client reads "ready" here.
  app.get("/v2/health/live", probe, async () => ({ live: true, ready: isReady() }));
  app.get("/v2/health/ready", probe, async (_request, reply) => {
    const ready = isReady();
    if (!ready) void reply.code(503).header("retry-after", 1);
    return { live: true, ready };
  });
  app.get("/v2/models", read, async () => ({
    models: plane.services.map((service) => service.name),
  }));
  app.get("/v2/models/stats", read, async () => ({
    model_stats: plane.services.flatMap((service) => modelStatistics(plane, service.name)),
  }));
  for (const path of ["/v2/models/:model", "/v2/models/:model/versions/:version"]) {
    app.get(path, read, async (request) => modelMetadata(plane, targetOf(plane, request)));
    app.get(`${path}/ready`, probe, async (request, reply) => modelReady(plane, request, reply));
    app.get(`${path}/stats`, read, async (request) => {
      const { model, version } = request.params as ModelParams;
      if (version === undefined) return { model_stats: modelStatistics(plane, model) };
      return { model_stats: [statisticsOf(model, targetOf(plane, request).version)] };
    });
    app.post(`${path}/infer`, infer, async (request, reply) => inferReply(plane, request, reply));
  }
}

async function inferReply(
  plane: DataPlane,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  const call = callOf(plane, request, reply);
  const target = targetOf(plane, request);
  if (request.headers["inference-header-content-length"] !== undefined) {
    throw new MillraceError(
      "NOT_IMPLEMENTED",
      'Cannot read the body: this version takes no binary tensors, send "data" as JSON',
    );
  }
  const { version } = target;
  const { id, inputs, outputNames } = readInferRequest(jsonBody(request), version.inputs);
  const outputs = requestedOutputs(version, outputNames);
  const names = outputs.map(({ spec }) => spec.name);
  const prediction = await plane.infer(target, inputs, names, call);
  setPredictionHeaders(request, reply, prediction);
  return writeReply(target, prediction, { id, outputs });
}

interface RequestedOutput {
  /** As the client wrote it: a name from before a rewrite is answered under that name. */
  readonly name: string;
  readonly spec: TensorSpec;
}

function requestedOutputs(
  version: ModelVersion,
  names: readonly string[] | undefined,
): RequestedOutput[] {
  if (names === undefined || names.length === 0) {
    return version.outputs.map((spec) => ({ name: spec.name, spec }));
  }
  return names.map((name, i) => {
    const location = ["body", "outputs", i, "name"];
    const spec = version.findOutput(name);
    if (spec === undefined) {
      const known = version.outputs.map((output) => `"${output.name}"`).join(", ");
      throw invalidOutput(location, `unknown output "${name}", expected ${known}`);
    }
    if (names.indexOf(name) !== i) {
      throw invalidOutput(location, `the output "${name}" stands twice`);
    }
    return { name, spec };
  });
}

function invalidOutput(location: readonly (string | number)[], message: string): MillraceError {
  return new MillraceError("INVALID_BODY", `Cannot read ${location.join(".")}: ${message}`, {
    problems: [{ location, message, type: "unknown" }],
  });
}

function writeReply(
  { service, version }: Target,
  prediction: Prediction,
  request: { readonly id: string | undefined; readonly outputs: readonly RequestedOutput[] },
): string {
  const tensors = prediction.outputs.map((tensor, i) => {
    const name = JSON.stringify(request.outputs[i]?.name ?? tensor.name);
    const shape = tensor.shape.join(",");
    return `{"name":${name},"datatype":"${tensor.datatype}","shape":[${shape}],"data":${flatJson(tensor)}}`;
  });
  const id = request.id === undefined ? "" : `"id":${JSON.stringify(request.id)},`;
  return (
    `{"model_name":"${service.name}","model_version":"${version.version}",${id}` +
    `"outputs":[${tensors.join(",")}]}`
  );
}

function targetOf(plane: DataPlane, request: FastifyRequest): Target {
  const { model, version } = request.params as ModelParams;
  return plane.target(plane.service(model), versionNumber(model, version));
}

/** @throws MODEL_NOT_FOUND when the path's version is not a whole number above zero. */
function versionNumber(model: string, version: string | undefined): number | undefined {
  if (version === undefined) return undefined;
  if (/^[1-9]\d{0,9}$/.test(version)) return Number(version);
  throw new MillraceError(
    "MODEL_NOT_FOUND",
    `Request for unknown model: '${model}' has no version ${JSON.stringify(version)}, versions are numbers`,
  );
}

function modelMetadata(plane: DataPlane, { service, version }: Target): object {
  const { fallbackReason } = version;
  return {
    name: service.name,
    versions: plane.models.model(version.modelName).versions.map((known) => String(known.version)),
    platform: version.platform,
    inputs: version.inputs,
    outputs: version.outputs,
    ...(fallbackReason === undefined ? {} : { properties: { fallback: fallbackReason } }),
  };
}

function modelReady(plane: DataPlane, request: FastifyRequest, reply: FastifyReply): object {
  const { model, version } = request.params as ModelParams;
  const service = plane.service(model);
  try {
    plane.models.version(service.model, versionNumber(model, version));
    return { name: model, ready: true };
  } catch (error) {
    if (!(error instanceof MillraceError && error.code === "MODEL_NOT_READY")) throw error;
    void reply.code(503).header("retry-after", 1);
    return { name: model, ready: false };
  }
}

function modelStatistics(plane: DataPlane, name: string): object[] {
  const model = plane.models.model(plane.service(name).model);
  return model.versions.map((version) => statisticsOf(name, version));
}
