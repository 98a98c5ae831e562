import type { Config, ModelConfig, ServiceConfig } from "../../config/config.ts";
import { plainModelOf } from "../../graphs/plain-service.ts";
import { modelsIn } from "../../graphs/graph-steps.ts";

/**
 * The models of the file, those that only shadows run on threads of their own: a run on the serving loop, however short,
 * is time in which no answer leaves. Where the file itself says where a model runs, that holds. And nobody waits for them:
 * traffic may come without them.
 */
export function placedModels({ models, services }: Config): Readonly<Record<string, ModelConfig>> {
  const ofShadows = modelsOfShadows(Object.values(services));
  if (ofShadows.size === 0) return models;
  return Object.fromEntries(
    Object.entries(models).map(([name, model]) => {
      if (!ofShadows.has(name)) return [name, model];
      const placement = model.placement === "auto" ? "worker" : model.placement;
      return [name, { ...model, placement, isRequired: false }];
    }),
  );
}

/** Models that nothing else answers with, as far as the file tells. */
function modelsOfShadows(services: readonly ServiceConfig[]): ReadonlySet<string> {
  const shadows = new Set(services.flatMap((service) => service.shadows.map(({ to }) => to)));
  const answering = new Set(services.flatMap(targetsOf));
  const found = new Set<string>();
  for (const { name, graph } of services) {
    if (shadows.has(name)) for (const model of modelsIn(graph)) found.add(model);
  }
  for (const service of services) {
    const { name } = service;
    const isForShadow = shadows.has(name) || plainModelOf(service) === name;
    if (isForShadow && !isOwnService(service) && !answering.has(name)) continue;
    for (const model of modelsIn(service.graph)) found.delete(model);
  }
  return found;
}

/** Does the file say more of it than what every model has that nobody wrote a service for? */
function isOwnService({ isDefault, rules, experiment, shadows }: ServiceConfig): boolean {
  return isDefault || rules.length > 0 || experiment !== undefined || shadows.length > 0;
}

/** Whatever else answers for a service. */
function targetsOf({ rules, experiment, overload, parameters }: ServiceConfig): string[] {
  const { deactivated } = parameters;
  return [
    ...rules.map(({ to }) => to),
    ...(experiment?.arms ?? []).map(({ to }) => to),
    ...(overload.kind === "fallback" ? [overload.model] : []),
    ...(typeof deactivated === "object" ? [deactivated.fallback] : []),
  ];
}
