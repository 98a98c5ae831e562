import type { LimitsConfig, ServiceConfig, StepConfig } from "./config.ts";
import type { ConfigTree } from "./config-tree.ts";
import type { ProblemLog } from "./problem-log.ts";
import { resolveCache } from "./resolve-cache.ts";
import { checkTraffic } from "./check-traffic.ts";
import { findPlacedSteps, placedName, type PlacedStep } from "./placed-steps.ts";
import { resolveExperiment } from "./resolve-experiment.ts";
import { resolveGraph, resolvePlacedStep } from "./resolve-graph.ts";
import { resolveServiceLog } from "./resolve-log.ts";
import { resolveOverload } from "./resolve-overload.ts";
import { resolveParameters } from "./resolve-parameters.ts";
import { resolveRules } from "./resolve-rules.ts";
import { nameOf, resolveShadows } from "./resolve-shadows.ts";
import type { ConfigOutput } from "./schema.ts";
import { service as serviceSchema } from "./schema-service.ts";
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
  const placed = findPlacedSteps(services, log);
  for (const one of placed) {
    graphs.set(one.name, await resolvePlacedStep(one.name, one, { ...context, models }));
  }
  const targets = new ServiceTargets(models, graphs, log);
  const written = { ...services, ...Object.fromEntries(placed.map(servicesOf)) };
  const resolved: [string, ServiceConfig][] = [];
  for (const [name, service] of Object.entries(written)) {
    const graph = graphs.get(name);
    if (graph === undefined) continue;
    const { traffic } = service;
    const target = trafficTargets(name, traffic, targets);
    const { cache, parameters } = service;
    const config: ServiceConfig = {
      name,
      isDefault: name === defaultName,
      graph,
      timeoutMs: service.timeout,
      limits: resolveLimits(service.limits),
      overload: resolveOverload({ name, service, targets, log }),
      rules: resolveRules({ name, service, targets, log }),
      experiment: resolveExperiment({ service: name, traffic, targets: target.arms, tree, log }),
      shadows: await resolveShadows({
        service: name,
        traffic,
        folder,
        targets: target.shadows,
        log,
      }),
      reply: service.reply,
      cache: await resolveCache({ name, cache, graph, folder, log }),
      parameters: resolveParameters({ name, parameters, graph, targets, log }),
      log: resolveServiceLog(service.log),
    };
    resolved.push([name, config]);
  }
  checkTraffic(
    resolved.map(([, config]) => config),
    log,
  );
  return Object.fromEntries(resolved);
}

/** Its steps have the limits that every service has unless the file says otherwise. */
function servicesOf({ name }: PlacedStep): [string, WrittenService] {
  return [name, serviceSchema.parse({})];
}

/** Where the arms and shadows of a service lead. */
function trafficTargets(
  service: string,
  { experiment, shadow }: WrittenService["traffic"],
  targets: ServiceTargets,
): { readonly arms: Map<string, string>; readonly shadows: readonly (string | undefined)[] } {
  const at = ["services", service, "traffic"];
  const arms = new Map<string, string>();
  for (const [arm, step] of Object.entries(experiment?.arms ?? {})) {
    const path = [...at, "experiment", "arms", arm];
    const to =
      typeof step === "string" ? targets.find(step, path) : targets.of(placedName(service, arm));
    if (to !== undefined) arms.set(arm, to);
  }
  const shadows = shadow.map(({ name, to }, index) => {
    if (typeof to === "string") return targets.find(to, [...at, "shadow", index, "to"]);
    return targets.of(placedName(service, name ?? nameOf(to, index)));
  });
  return { arms, shadows };
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
