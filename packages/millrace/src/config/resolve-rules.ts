import { NO_RULE, type Rule } from "../core/rules/rule-set.ts";
import { followGraph, reportUnknownName } from "./follow-graph.ts";
import type { ProblemLog } from "./problem-log.ts";
import { resolveCondition } from "./resolve-condition.ts";
import type { ConfigOutput } from "./schema.ts";

/** The service whose rules are resolved, and where to report. */
interface RulesContext {
  readonly name: string;
  readonly services: ConfigOutput["services"];
  readonly models: ReadonlySet<string>;
  readonly log: ProblemLog;
}

/** The rules of a service, each with the model that its `to` leads to. */
export function resolveRules(context: RulesContext): Rule[] {
  const { name, services, log } = context;
  const written = services[name]?.traffic.rules ?? [];
  const names = new Set<string>();
  const rules: Rule[] = [];
  for (const [index, rule] of written.entries()) {
    const path = ["services", name, "traffic", "rules", index];
    if (names.has(rule.name)) {
      log.add([...path, "name"], `found "${rule.name}" again, expected a name of its own`);
    }
    names.add(rule.name);
    if (rule.name === NO_RULE) {
      log.add([...path, "name"], `found "${NO_RULE}", which metrics say when no rule matches`);
    }
    const model = modelOf(rule.to, index, context);
    if (model === undefined) continue;
    // Shares of different rules are drawn apart, unless they name the same salt.
    const when = resolveCondition(rule.when, `${name}.${rule.name}`);
    rules.push({ name: rule.name, when, to: model });
  }
  return rules;
}

function modelOf(to: string, index: number, context: RulesContext): string | undefined {
  const { name, services, models, log } = context;
  if (!models.has(to) && !Object.hasOwn(services, to)) {
    const known = [...models, ...Object.keys(services)];
    const key = ["traffic", "rules", index, "to"];
    reportUnknownName({ service: name, key, written: to, known }, log);
    return undefined;
  }
  const reference = followGraph(to, services, models, log);
  return reference.kind === "broken" ? undefined : reference.model;
}
