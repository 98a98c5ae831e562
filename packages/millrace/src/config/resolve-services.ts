import type { ServiceConfig } from "./config.ts";
import type { ConfigTree } from "./config-tree.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { ConfigOutput } from "./schema.ts";

/** Where a service's graph leads. */
type Reference =
  | { readonly kind: "model"; readonly model: string }
  /** Reported already, here or where the broken part stands. */
  | { readonly kind: "broken" };

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
    resolved.push([name, { name, isDefault, model, timeoutMs: service.timeout }]);
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

/** Follows `graph` from service to service until a model. */
function followGraph(
  name: string,
  services: ConfigOutput["services"],
  models: ReadonlySet<string>,
  log: ProblemLog,
): Reference {
  const own = services[name]?.graph;
  if (models.has(name) && own !== undefined && own !== name) {
    reportClash(name, log);
    return { kind: "broken" };
  }
  const chain = [name];
  for (;;) {
    const current = chain.at(-1) ?? name;
    const graph = services[current]?.graph;
    if (models.has(graph ?? current)) return { kind: "model", model: graph ?? current };
    if (graph === undefined || !Object.hasOwn(services, graph)) {
      if (current === name) reportUnknown(name, own, [...models, ...Object.keys(services)], log);
      return { kind: "broken" };
    }
    const start = chain.indexOf(graph);
    if (start !== -1) {
      reportCycle(name, chain.slice(start), log);
      return { kind: "broken" };
    }
    chain.push(graph);
  }
}

/** A name leads to one thing only: a service named like a model runs that model. */
function reportClash(name: string, log: ProblemLog): void {
  const path = ["services", name, "graph"];
  const message = `name clash: "${name}" is also a model, so its service can only run that one; found ${log.show(path)}`;
  log.add(path, message, { allowed: name });
}

function reportUnknown(
  name: string,
  graph: string | undefined,
  known: readonly string[],
  log: ProblemLog,
): void {
  const path = ["services", name, "graph"];
  const others = [...new Set(known)].filter((other) => other !== name);
  const allowed = `the name of a model or service: ${others.join(", ")}`;
  const message =
    graph === undefined ? `missing, and no model is named "${name}"` : `found ${log.show(path)}`;
  const nearest = didYouMean(graph ?? name, others);
  log.add(path, `${message}, expected ${allowed}`, { allowed, didYouMean: nearest });
}

/** Reports a cycle once, at the member that comes first by name. */
function reportCycle(name: string, cycle: readonly string[], log: ProblemLog): void {
  if (name !== cycle.toSorted()[0]) return;
  const message = `services run each other in a cycle: ${[...cycle, cycle[0] ?? name].join(" -> ")}`;
  log.add(["services", name, "graph"], message);
}
