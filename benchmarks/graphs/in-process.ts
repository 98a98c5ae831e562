// What is measured inside one process, which run.ts starts on the server's core. Prints one line of JSON.
import type { Plan } from "./plan.ts";
import { measureRuleMatching, type RuleMatchingRow } from "./rule-matching.ts";
import { measureSequenceInProcess, type SequenceInProcess } from "./sequence-in-process.ts";
import { measureStepCosts, type StepCostRow } from "./step-costs.ts";

export interface FoundInProcess {
  readonly sequence: SequenceInProcess;
  readonly rules: readonly RuleMatchingRow[];
  readonly steps: readonly StepCostRow[];
}

const plan = JSON.parse(process.argv[2] ?? "") as Plan; // written by run.ts
const found: FoundInProcess = {
  sequence: await measureSequenceInProcess(plan),
  rules: measureRuleMatching(plan),
  steps: await measureStepCosts(plan),
};
process.stdout.write(`\n${JSON.stringify(found)}\n`);
