import { didYouMean } from "./did-you-mean.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { ConfigPath } from "./schema-node.ts";
import type { ConfigOutput } from "./schema.ts";

/** Where a service's graph leads. */
export type Reference =
  | { readonly kind: "model"; readonly model: string }
  /** Reported already, here or where the broken part stands. */
  | { readonly kind: "broken" };

/** Follows `graph` from service to service until a model. */
export function followGraph(
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
      if (current === name) {
        const known = [...models, ...Object.keys(services)];
        reportUnknownName({ service: name, key: ["graph"], written: own, known }, log);
      }
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

/** Where a service names a model or service that nobody has. */
interface UnknownName {
  readonly service: string;
  /** Key of the service that names it. */
  readonly key: ConfigPath;
  /** Undefined when nothing is written, so that the service's own name is meant. */
  readonly written: string | undefined;
  readonly known: readonly string[];
}

export function reportUnknownName(unknown: UnknownName, log: ProblemLog): void {
  const { service, written } = unknown;
  const path = ["services", service, ...unknown.key];
  const others = [...new Set(unknown.known)].filter((other) => other !== service);
  const allowed = `the name of a model or service: ${others.join(", ")}`;
  const message =
    written === undefined
      ? `missing, and no model is named "${service}"`
      : `found ${log.show(path)}`;
  const nearest = didYouMean(written ?? service, others);
  log.add(path, `${message}, expected ${allowed}`, { allowed, didYouMean: nearest });
}

/** A name leads to one thing only: a service named like a model runs that model. */
function reportClash(name: string, log: ProblemLog): void {
  const path = ["services", name, "graph"];
  const message = `name clash: "${name}" is also a model, so its service can only run that one; found ${log.show(path)}`;
  log.add(path, message, { allowed: name });
}

/** Reports a cycle once, at the member that comes first by name. */
function reportCycle(name: string, cycle: readonly string[], log: ProblemLog): void {
  if (name !== cycle.toSorted()[0]) return;
  const message = `services run each other in a cycle: ${[...cycle, cycle[0] ?? name].join(" -> ")}`;
  log.add(["services", name, "graph"], message);
}
