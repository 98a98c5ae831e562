import type { LimitsConfig, ServiceConfig } from "./config.ts";
import type { ConfigTree } from "./config-tree.ts";
import { followGraph } from "./follow-graph.ts";
import type { ProblemLog } from "./problem-log.ts";
import { resolveRules } from "./resolve-rules.ts";
import { resolveOverload } from "./resolve-overload.ts";
import type { ConfigOutput } from "./schema.ts";

type WrittenService = ConfigOutput["services"][string];

/** Every service with the model it runs. */
export function resolveServices(
  services: ConfigOutput["services"],
  tree: ConfigTree,
  log: ProblemLog,
): Record<string, ServiceConfig> {
  const models = new Set(tree.namesAt(["models"]));
  const defaultName = findDefault(services, tree, log);
  const resolved: [string, ServiceConfig][] = [];
  for (const [name, service] of Object.entries(services)) {
    const reference = followGraph(name, services, models, log);
    if (reference.kind === "broken") continue;
    const isDefault = name === defaultName;
    const { model } = reference;
    const limits = resolveLimits(service.limits);
    const overload = resolveOverload({ name, model, services, models, log });
    const rules = resolveRules({ name, services, models, log });
    const { timeout: timeoutMs } = service;
    const graph = { kind: "model" as const, name: model, at: ["services", name, "graph"], model };
    const cache = { prediction: undefined, data: undefined };
    const parameters: ServiceConfig["parameters"] = {
      isActive: true,
      branches: {},
      deactivated: "503",
      thresholds: undefined,
      thresholdDefault: 0.95,
      retries: 0,
    };
    const own = { name, isDefault, graph, model, timeoutMs, limits, overload, rules };
    resolved.push([name, { ...own, cache, parameters }]);
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
