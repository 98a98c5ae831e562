import type { ServiceConfig } from "./config.ts";
import type { ConfigTree } from "./config-tree.ts";
import { didYouMean } from "./did-you-mean.ts";
import type { SchemaNode } from "./json-schema.ts";
import { createProblem, shownValue } from "./problem.ts";
import type { ConfigProblem } from "./problem.ts";
import type { ConfigOutput } from "./schema.ts";

type WrittenService = ConfigOutput["services"][string];

/** What the references of services are checked against. */
export interface GraphContext {
  readonly output: ConfigOutput;
  readonly tree: ConfigTree;
  readonly root: SchemaNode;
}

type Reference =
  | { readonly kind: "model"; readonly model: string }
  | { readonly kind: "problem"; readonly problem: ConfigProblem }
  /** Reported where it is wrong, elsewhere. */
  | { readonly kind: "broken" };

/** Every service with the model it runs; models without a service get one of their name. */
export function resolveServices(
  context: GraphContext,
  problems: ConfigProblem[],
): Record<string, ServiceConfig> {
  const { output, tree } = context;
  const services = createRecord<ServiceConfig>();
  const defaultName = findDefault(context, problems);
  const add = (name: string, model: string, timeoutMs: number) => {
    services[name] = { name, isDefault: name === defaultName, model, timeoutMs };
  };
  for (const [name, service] of Object.entries(output.services)) {
    const reference = resolveReference(name, context);
    if (reference.kind === "problem") problems.push(reference.problem);
    if (reference.kind === "model") add(name, reference.model, service.timeout);
  }
  for (const name of tree.namesAt(["models"])) {
    if (!Object.hasOwn(output.services, name)) add(name, name, output.defaults.timeoutMs);
  }
  return services;
}
