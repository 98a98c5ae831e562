import { resolve } from "node:path";
import type { JsonValue } from "../core/json.ts";
import type {
  BatchConfig,
  ModelConfig,
  ModelSource,
  ReloadPolicy,
  ServePolicy,
  SloConfig,
} from "./config.ts";
import type { ModelContext, WrittenModel } from "./model-context.ts";
import { readLabels, readSample } from "./read-model-files.ts";
import { resolveProgram } from "./resolve-program.ts";

/** A model with absolute paths, its labels and sample read; undefined when its source is refused. */
export async function resolveModel(context: ModelContext): Promise<ModelConfig | undefined> {
  const { name, model } = context;
  const source = resolveSource(context, "source") ?? noSource(context);
  const fallback = resolveSource(context, "fallback");
  const program = await resolveProgram(context);
  const labels = await resolveLabels(context);
  const sample = await resolveSample(context);
  if (source === undefined) return undefined;
  return {
    name,
    source,
    sha256: model.sha256,
    fallback,
    runtime: model.runtime,
    ...(program === undefined ? {} : { program }),
    labels,
    output: model.output,
    score: model.score,
    inputs: resolveInputs(model.inputs),
    sample,
    threads: model.threads,
    instances: model.instances,
    placement: model.placement,
    batch: resolveBatch(model.batch),
    slo: resolveSlo(model.slo),
    serve: resolveServe(model.serve),
    reload: resolveReload(model.reload),
    isRequired: model.required,
  };
}

/** What a model without a source is; undefined when it must have one. */
function noSource({ name, model, log }: ModelContext): ModelSource | undefined {
  if (model.source !== undefined) return undefined; // it was refused
  if (model.runtime === "process") return { kind: "program" };
  log.add(["models", name, "source"], "missing, expected a path or an https:// address");
  return undefined;
}

/** A scheme has two letters at least: `C:` is a drive. */
const SCHEME_PATTERN = /^([a-z][a-z0-9+.-]+):/i;

const LOOPBACK_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

function resolveSource(context: ModelContext, key: "source" | "fallback"): ModelSource | undefined {
  const { name, model, folder, log } = context;
  const text = model[key];
  if (text === undefined) return undefined;
  const [, scheme] = SCHEME_PATTERN.exec(text) ?? [];
  if (scheme === undefined) return { kind: "path", path: resolve(folder, text) };
  const message =
    key === "fallback"
      ? "expected a path: a fallback must be on this machine"
      : refusalOfAddress(text, scheme, model.sha256);
  if (message === undefined) return { kind: "url", url: text };
  const path = ["models", name, key];
  log.add(path, `found ${log.show(path)}, ${message}`);
  return undefined;
}

/** Why the address is not accepted; undefined when it is. */
function refusalOfAddress(
  text: string,
  scheme: string,
  sha256: string | undefined,
): string | undefined {
  if (!["http", "https"].includes(scheme)) {
    const isLater = scheme === "s3" || scheme === "models";
    const reason = isLater ? `${scheme}: is not in this version` : `${scheme}: is not known`;
    return `${reason}, expected a path or an https:// address`;
  }
  if (!URL.canParse(text)) return "expected a valid address";
  if (scheme === "https") {
    return sha256 === undefined
      ? "expected sha256 beside it: what is fetched must be known"
      : undefined;
  }
  const isLoopback = LOOPBACK_HOSTS.includes(new URL(text).hostname);
  return isLoopback ? undefined : "expected https://: http:// is only for this machine";
}

async function resolveLabels(context: ModelContext): Promise<readonly string[] | undefined> {
  const { name, model, folder, log } = context;
  if (typeof model.labels !== "string") return model.labels;
  const labels = await readLabels(resolve(folder, model.labels));
  if (labels.kind === "ok") return labels.value;
  const path = ["models", name, "labels"];
  log.add(path, `label file ${log.show(path)} ${labels.message}`);
  return undefined;
}

async function resolveSample(context: ModelContext): Promise<JsonValue | undefined> {
  const { name, model, folder, log } = context;
  // The tree holds plain data only: `interpolate` has checked that.
  if (typeof model.sample !== "string") return model.sample as JsonValue | undefined;
  const sample = await readSample(resolve(folder, model.sample.slice(1)));
  if (sample.kind === "ok") return sample.value;
  const path = ["models", name, "sample"];
  log.add(path, `sample file ${log.show(path)} ${sample.message}`);
  return undefined;
}

function resolveInputs(inputs: WrittenModel["inputs"]): ModelConfig["inputs"] {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { names, unit, range }]) => [name, { names, unit, range }]),
  );
}

function resolveBatch(batch: WrittenModel["batch"]): BatchConfig {
  // 1 runs every request alone and as it came, however many rows it has; there is nothing to refuse.
  if (batch === "off") return { rowsMax: 1, delayMs: 0, oversize: "split" };
  return { rowsMax: batch.rowsMax, delayMs: batch.delay, oversize: batch.oversize };
}

function resolveSlo(slo: WrittenModel["slo"]): SloConfig | undefined {
  return slo && { latencyP99Ms: slo.latencyP99, availability: slo.availability };
}

function resolveServe(serve: WrittenModel["serve"]): ServePolicy {
  return typeof serve === "string" ? { kind: serve } : { kind: "list", versions: serve };
}

function resolveReload(reload: WrittenModel["reload"]): ReloadPolicy {
  return typeof reload === "string" ? { kind: reload } : { kind: "poll", everyMs: reload };
}
