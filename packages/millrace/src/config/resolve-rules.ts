import { NO_RULE, type Rule } from "../core/rules/rule-set.ts";
import type { ProblemLog } from "./problem-log.ts";
import { resolveCondition } from "./resolve-condition.ts";
import type { ConfigOutput } from "./schema.ts";
import type { ServiceTargets } from "./service-targets.ts";

/** The service whose rules are resolved, and where to report. */
interface RulesContext {
  readonly name: string;
  readonly service: ConfigOutput["services"][string];
  readonly targets: ServiceTargets;
  readonly log: ProblemLog;
}

/** The rules of a service, each with the model or service that its `to` leads to. */
export function resolveRules({ name, service, targets, log }: RulesContext): Rule[] {
  const names = new Set<string>();
  const rules: Rule[] = [];
  for (const [index, rule] of service.traffic.rules.entries()) {
    const path = ["services", name, "traffic", "rules", index];
    if (names.has(rule.name)) {
      log.add([...path, "name"], `found "${rule.name}" again, expected a name of its own`);
    }
    names.add(rule.name);
    if (rule.name === NO_RULE) {
      log.add([...path, "name"], `found "${NO_RULE}", which metrics say when no rule matches`);
    }
    const to = targets.find(rule.to, [...path, "to"]);
    if (to === undefined) continue;
    // Shares of different rules are drawn apart, unless they name the same salt.
    rules.push({ name: rule.name, when: resolveCondition(rule.when, `${name}.${rule.name}`), to });
  }
  return rules;
}
