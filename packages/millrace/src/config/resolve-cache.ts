import { resolve } from "node:path";
import type { JsonValue } from "../core/json.ts";
import type { CacheConfig, PredictionCacheConfig, StepConfig } from "./config.ts";
import type { ProblemLog } from "./problem-log.ts";
import { readSample } from "./read-model-files.ts";
import type { ConfigOutput } from "./schema.ts";

type WrittenCache = ConfigOutput["services"][string]["cache"];

/** The service whose `cache` is resolved, and where to report. */
interface ServiceCache {
  readonly name: string;
  readonly cache: WrittenCache;
  readonly graph: StepConfig;
  /** Folder that relative paths start from. */
  readonly folder: string;
  readonly log: ProblemLog;
}

/** What a service caches, its warm-up list read. */
export async function resolveCache(service: ServiceCache): Promise<CacheConfig> {
  const { name, cache, graph, log } = service;
  if (cache.data !== undefined && !beginsWithSource(graph)) {
    const message = "the graph begins with no load, image or function step, whose results are kept";
    log.add(["services", name, "cache", "data"], message);
  }
  return { prediction: await resolvePrediction(service), data: resolveData(cache.data) };
}

async function resolvePrediction(
  service: ServiceCache,
): Promise<PredictionCacheConfig | undefined> {
  const written = service.cache.prediction;
  if (written === undefined) return undefined;
  const { ttl: ttlMs, entriesMax, bytesMax, lookup } = written;
  const warmUp = await resolveWarmUp(written.warmUp, service);
  return { ttlMs, entriesMax, bytesMax, lookup, warmUp };
}

async function resolveWarmUp(
  written: string | readonly unknown[],
  { name, folder, log }: ServiceCache,
): Promise<readonly JsonValue[]> {
  // The tree holds plain data only: `interpolate` has checked that.
  if (typeof written !== "string") return written as readonly JsonValue[];
  const at = ["services", name, "cache", "prediction", "warmUp"];
  const list = await readSample(resolve(folder, written.slice(1)));
  if (list.kind === "ok" && Array.isArray(list.value)) return list.value as readonly JsonValue[];
  const message = list.kind === "ok" ? "holds no list of requests" : list.message;
  log.add(at, `warm-up file ${log.show(at)} ${message}`);
  return [];
}

function resolveData(written: WrittenCache["data"]): CacheConfig["data"] {
  if (written === undefined) return undefined;
  const { ttl: ttlMs, entriesMax, bytesMax, key } = written;
  return { ttlMs, entriesMax, bytesMax, key };
}

/** Is what it does first the work of a source? */
function beginsWithSource(step: StepConfig): boolean {
  switch (step.kind) {
    case "load":
    case "image":
    case "function":
      return true;
    case "sequence": {
      const [first] = step.members;
      return first !== undefined && beginsWithSource(first.step);
    }
    case "parallel":
      return step.branches.some(beginsWithSource);
    case "switch":
      return [step.default, ...step.cases.map(({ to }) => to)].some(beginsWithSource);
    default:
      return false;
  }
}
