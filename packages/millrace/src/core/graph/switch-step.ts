import type { Attributes } from "../rules/attributes.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import { carry, tensorAt, type Edge } from "./edge.ts";
import { runStep } from "./run-step.ts";
import type { StepOutcome } from "./step-outcome.ts";
import type { Given, Step, StepContext } from "./step.ts";

/** What a condition may look at. */
export interface SwitchSubject {
  /** Of the request; undefined where it has none, as in the library. */
  readonly attributes: Attributes | undefined;
  readonly predictionId: string;
  /** An input of the switch, as a rule an output of an earlier step. */
  readonly input: (name: string) => Tensor | undefined;
}

/** Where a switch may lead. */
export interface Route {
  /** Name of the case; `default` where none matched. */
  readonly name: string;
  readonly step: Step;
  /** From the inputs of the switch, one per input of the step. */
  readonly inputs: readonly Edge[];
  /** From the outputs of the step, one per output of the switch. */
  readonly outputs: readonly Edge[];
}

export interface ConditionalRoute extends Route {
  readonly isMatch: (subject: SwitchSubject) => boolean;
}

export interface SwitchStepOptions extends Given {
  readonly name: string;
  readonly inputs: readonly TensorSpec[];
  readonly routes: readonly ConditionalRoute[];
  readonly otherwise: Route;
}

/** Runs one of several steps: that of the first case that matches, else the default. */
export class SwitchStep implements Step {
  readonly name: string;
  readonly kind = "switch";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number | "all";
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly #routes: readonly ConditionalRoute[];
  readonly #otherwise: Route;

  /** @param options checked by `buildSwitch`. */
  constructor(options: SwitchStepOptions) {
    this.name = options.name;
    this.inputs = options.inputs;
    this.outputs = options.outputs;
    this.prediction = options.prediction;
    this.labels = options.labels;
    this.score = options.score;
    this.#routes = options.routes;
    this.#otherwise = options.otherwise;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const subject: SwitchSubject = {
      attributes: context.request.attributes,
      predictionId: context.request.predictionId,
      input: (name) => inputs.find((tensor) => tensor.name === name),
    };
    const route = this.#routes.find(({ isMatch }) => isMatch(subject)) ?? this.#otherwise;
    context.trace.note("case", route.name);
    const own = route.inputs.map((edge) => carry(inputs[edge.index] as Tensor, edge));
    const outcome = await runStep(route.step, own, context);
    return { ...outcome, outputs: resultsOf(route, outcome.outputs) };
  }
}

function resultsOf({ outputs }: Route, given: readonly Tensor[]): Tensor[] {
  const results: Tensor[] = [];
  for (const edge of outputs) {
    const tensor = tensorAt(edge, given);
    if (tensor !== undefined) results.push(carry(tensor, edge));
  }
  return results;
}
