import type { LimitsConfig, ServiceConfig, StepConfig } from "./config.ts";
import type { ConfigTree } from "./config-tree.ts";
import type { ProblemLog } from "./problem-log.ts";
import { resolveCache } from "./resolve-cache.ts";
import { resolveGraph } from "./resolve-graph.ts";
import { resolveServiceLog } from "./resolve-log.ts";
import { resolveOverload } from "./resolve-overload.ts";
import { resolveParameters } from "./resolve-parameters.ts";
import { resolveRules } from "./resolve-rules.ts";
import type { ConfigOutput } from "./schema.ts";
import { ServiceTargets } from "./service-targets.ts";

type WrittenService = ConfigOutput["services"][string];

/** What services are resolved from, and where to report. */
interface ServicesContext {
  readonly services: ConfigOutput["services"];
  /** Folder that relative paths start from. */
  readonly folder: string;
  readonly tree: ConfigTree;
  readonly log: ProblemLog;
}

/** Every service with what it does; those whose graph is wrong are left out. */
export async function resolveServices(
  context: ServicesContext,
): Promise<Record<string, ServiceConfig>> {
  const { services, folder, tree, log } = context;
  const models = new Set(tree.namesAt(["models"]));
  const defaultName = findDefault(services, tree, log);
  const graphs = new Map<string, StepConfig | undefined>();
  for (const name of Object.keys(services)) {
    graphs.set(name, await resolveGraph(name, { ...context, models }));
  }
  const targets = new ServiceTargets(models, graphs, log);
  const resolved: [string, ServiceConfig][] = [];
  for (const [name, service] of Object.entries(services)) {
    const graph = graphs.get(name);
    if (graph === undefined) continue;
    const { cache, parameters } = service;
    const config: ServiceConfig = {
      name,
      isDefault: name === defaultName,
      graph,
      timeoutMs: service.timeout,
      limits: resolveLimits(service.limits),
      overload: resolveOverload({ name, service, targets, log }),
      rules: resolveRules({ name, service, targets, log }),
      cache: await resolveCache({ name, cache, graph, folder, log }),
      parameters: resolveParameters({ name, parameters, graph, targets, log }),
      log: resolveServiceLog(service.log),
    };
    resolved.push([name, config]);
  }
  return Object.fromEntries(resolved);
}

/**
 * The service that is marked as default, or the only one. Services that stand for a model nobody wrote a service
 * for count only when there are no others.
 */
function findDefault(
  services: ConfigOutput["services"],
  tree: ConfigTree,
  log: ProblemLog,
): string | undefined {
  const names = Object.keys(services);
  const [marked, ...others] = names.filter((name) => services[name]?.default === true);
  for (const other of others) {
    const message = `both "${marked ?? ""}" and "${other}" are the default, expected one`;
    log.add(["services", other, "default"], message);
  }
  if (marked !== undefined) return marked;
  const models = new Set(tree.namesAt(["models"]));
  const declared = names.filter((name) => tree.isDeclared(["services", name]) || !models.has(name));
  const [single, second] = declared.length > 0 ? declared : names;
  const isOnly = single !== undefined && second === undefined;
  return isOnly && services[single]?.default !== false ? single : undefined;
}

function resolveLimits({ concurrency, queue, rate }: WrittenService["limits"]): LimitsConfig {
  return { concurrency, queue, ratePerSecond: rate };
}
