import type { Config, ModelConfig, ServiceConfig } from "./config.ts";
import type { ConfigTree } from "./config-tree.ts";
import type { ConfigWarning } from "./config-warning.ts";
import { originText } from "./problem.ts";
import { pathText } from "./schema-node.ts";
import type { ConfigPath } from "./config-path.ts";

/** What a configuration would run on. */
export interface Machine {
  /** Cores this process may use, at least 1. */
  readonly coreCount: number;
  /** Serve processes, with `auto` counted out. */
  readonly processCount: number;
}

/** What a configuration was loaded as. */
interface Loaded {
  readonly config: Config;
  readonly tree: ConfigTree;
}

/** Settings that are valid each by itself and do not fit each other or the machine. */
export function sizingWarnings(loaded: Loaded, machine: Machine): readonly ConfigWarning[] {
  const { models, services } = loaded.config;
  const findings = [
    ...Object.values(models).flatMap((model) => [
      threadsFinding(model, loaded, machine),
      delayFinding(model),
    ]),
    ...Object.values(services).map((service) => concurrencyFinding(service, machine)),
  ];
  return findings
    .filter((finding) => finding !== undefined)
    .map(({ path, message }) => ({
      message,
      location: originText(loaded.tree.originOf(path)),
    }));
}

interface Finding {
  /** The key to change. */
  readonly path: ConfigPath;
  readonly message: string;
}

/** More threads than cores take turns: every run gets slower and none gets more done. */
function threadsFinding(
  { name, threads, instances }: ModelConfig,
  { tree }: Loaded,
  { coreCount, processCount }: Machine,
): Finding | undefined {
  const factors = [
    { path: ["models", name, "threads"], count: threads },
    { path: ["models", name, "instances"], count: instances === "auto" ? 1 : instances },
    { path: ["server", "processes"], count: processCount },
  ];
  const wanted = factors.reduce((product, { count }) => product * count, 1);
  if (wanted <= coreCount) return undefined;
  const chosen = factors.filter(({ path }) => isNumberWritten(tree, path));
  const [largest] = chosen.toSorted((a, b) => b.count - a.count);
  if (largest === undefined) return undefined;
  const product = factors.map(({ path, count }) => `${pathText(path)} ${count}`).join(" × ");
  const most = Math.floor((coreCount * largest.count) / wanted);
  const advice =
    most === 0
      ? `lower them until the product is at most ${coreCount}`
      : `set ${pathText(largest.path)} to at most ${most}`;
  const cores = coreCount === 1 ? "1 core" : `${coreCount} cores`;
  return {
    path: largest.path,
    message: `${product} = ${wanted} threads for ${cores}, ${advice}`,
  };
}

function isNumberWritten(tree: ConfigTree, path: ConfigPath): boolean {
  const written = tree.get(path);
  return written !== undefined && written !== "auto";
}

/** A request that waits for company for most of its objective has little left to be run in. */
function delayFinding({ name, batch, slo }: ModelConfig): Finding | undefined {
  const objectiveMs = slo?.latencyP99Ms;
  if (objectiveMs === undefined || batch.delayMs <= objectiveMs / 2) return undefined;
  const message = `models.${name}.batch.delay ${batch.delayMs}ms is more than half of models.${name}.slo.latencyP99 ${objectiveMs}ms, set it to at most ${Math.floor(objectiveMs / 2)}ms`;
  return { path: ["models", name, "batch", "delay"], message };
}

/** A limit is divided, and every process runs at least one request at a time. */
function concurrencyFinding(
  { name, limits }: ServiceConfig,
  { processCount }: Machine,
): Finding | undefined {
  const { concurrency } = limits;
  if (typeof concurrency !== "number" || concurrency >= processCount) return undefined;
  const message = `services.${name}.limits.concurrency ${concurrency} for ${processCount} processes, each runs at least 1 request: set it to at least ${processCount}, or server.processes to at most ${concurrency}`;
  return { path: ["services", name, "limits", "concurrency"], message };
}
