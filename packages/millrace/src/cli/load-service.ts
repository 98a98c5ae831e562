import { join } from "node:path";
import type { InputConfig } from "../config/config.ts";
import { didYouMean } from "../config/did-you-mean.ts";
import type { JsonValue } from "../core/json.ts";
import type { TensorSpec } from "../core/tensor/tensor.ts";
import { askJson, type Way } from "./ask-json.ts";
import { UsageError, type CommandIo } from "./command.ts";
import { LoadFailure } from "./load-failure.ts";
import type { TargetOrder } from "./load-target-order.ts";
import type { Header } from "./read-headers.ts";
import { readRunState } from "./run-state.ts";

/** A service of a Millrace that runs, as it describes itself. */
export interface LoadedService {
  readonly name: string;
  readonly url: string;
  readonly grpcUrl: string;
  /** Of the metrics and the control role; undefined where nobody knows them. */
  readonly metricsUrl: string | undefined;
  readonly controlUrl: string | undefined;
  /** Those of the command line, and the key. */
  readonly headers: readonly Header[];
  readonly inputs: readonly ServiceInput[];
  /** The rows of one input, or of several by name; undefined where the service has no sample. */
  readonly sample: JsonValue | undefined;
}

/** As `GET /metadata` says it. */
export type ServiceInput = TensorSpec & Partial<Pick<InputConfig, "names">>;

const URL_DEFAULT = "http://127.0.0.1:8000";
const GRPC_PORT_DEFAULT = "8001";

/** @throws UsageError where there is no such service; LoadFailure where nobody answers, or not with it. */
export async function findService(
  order: Extract<TargetOrder, { kind: "service" }>,
  headers: readonly Header[],
  way: Way,
  io: CommandIo,
): Promise<LoadedService> {
  const running =
    order.url === undefined ? await readRunState(join(io.cwd, ".millrace")) : undefined;
  const url = order.url ?? running?.url ?? URL_DEFAULT;
  const known = withKey(headers, io);
  const metadata = await askMetadata(order.name, url, known, way);
  return {
    name: order.name,
    url,
    grpcUrl: order.grpcUrl ?? running?.grpcUrl ?? withPort(url, GRPC_PORT_DEFAULT),
    metricsUrl: running?.metricsUrl,
    controlUrl: running?.controlUrl,
    headers: known,
    inputs: metadata.inputs,
    sample: metadata.data_sample,
  };
}

/** A key is for a Millrace alone: other URLs never get it. */
function withKey(headers: readonly Header[], { env }: CommandIo): readonly Header[] {
  const key = env["MILLRACE_KEY"];
  const isNamed = headers.some(([name]) => name.toLowerCase() === "authorization");
  return key === undefined || key === "" || isNamed
    ? headers
    : [...headers, ["authorization", `Bearer ${key}`]];
}

interface Metadata {
  readonly inputs: readonly ServiceInput[];
  readonly data_sample?: JsonValue;
}

async function askMetadata(
  name: string,
  url: string,
  headers: readonly Header[],
  way: Way,
): Promise<Metadata> {
  const asked = Object.fromEntries(headers.filter(([header]) => !OF_A_BODY.test(header)));
  const path = new URL(`/services/${encodeURIComponent(name)}/metadata`, url);
  const answer = await askJson(path, asked, way).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : "";
    throw new LoadFailure(
      `Cannot ask ${path.origin} for service "${name}": ${why}; start it with millrace up, or give --url`,
    );
  });
  const { status, json } = answer;
  if (status === 200 && isMetadata(json)) return json;
  const problem = membersOf(json);
  if (problem["code"] === "MODEL_NOT_FOUND") {
    const known = await askJson(new URL("/v2/models", url), asked, way).catch(() => undefined);
    throw unknownService(name, path.origin, known?.json);
  }
  const hint = status === 401 ? ": MILLRACE_KEY gives it" : "";
  const { detail } = problem;
  const why =
    typeof detail === "string"
      ? detail
      : `${path.href} answered with status ${status}, it is no Millrace`;
  throw new LoadFailure(`${why}${hint}`);
}

const OF_A_BODY = /^(accept|accept-encoding|content-encoding|content-type)$/i;

/** @param known what the server lists. */
function unknownService(name: string, origin: string, known: JsonValue | undefined): UsageError {
  const listedModels = membersOf(known)["models"];
  const models = Array.isArray(listedModels) ? listedModels.filter(isText) : [];
  const listed = models.length === 0 ? "" : `, there is ${models.join(", ")}`;
  const nearest = didYouMean(name, models);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new UsageError(`there is no service "${name}" at ${origin}${listed}${hint}`);
}

function isMetadata(json: unknown): json is Metadata {
  const { inputs } = membersOf(json);
  return Array.isArray(inputs) && inputs.every(isInput);
}

function isInput(input: unknown): boolean {
  const { name, datatype, shape } = membersOf(input);
  return (
    isText(name) &&
    isText(datatype) &&
    Array.isArray(shape) &&
    shape.every((size) => typeof size === "number")
  );
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** None of what is no object. */
function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function withPort(url: string, port: string): string {
  const parsed = new URL(url);
  parsed.port = port;
  return parsed.origin;
}
