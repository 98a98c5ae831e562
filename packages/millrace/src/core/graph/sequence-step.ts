import { MillraceError } from "../errors.ts";
import type { Tensor, TensorSpec } from "../tensor/tensor.ts";
import { carry, tensorAt, type Edge } from "./edge.ts";
import { codeOf, runStep } from "./run-step.ts";
import type { Degradation, StepOutcome } from "./step-outcome.ts";
import type { Step, StepContext } from "./step.ts";

/** An input of a member, or an output of the sequence. Source 0 are the inputs of the sequence, 1 its first member. */
export interface SequenceEdge extends Edge {
  /** Into the tensors that stand in for those of the source when that one failed. */
  readonly standIn: Edge | undefined;
}

/** A step that runs in place of one that failed, on what that one got. */
export interface Fallback {
  readonly step: Step;
  readonly edges: readonly Edge[];
}

/** A step of a sequence, with where its inputs come from. */
export interface Link {
  readonly step: Step;
  /** `skip` hands on what the step got. */
  readonly onError: "fail" | "skip" | Fallback;
  readonly edges: readonly SequenceEdge[];
}

/** Runs steps one after the other, each on what those before it gave. It takes as long as all of them together. */
export class SequenceStep implements Step {
  readonly name: string;
  readonly kind = "sequence";
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly prediction: number | "all";
  readonly labels: readonly string[] | undefined;
  readonly score: number;
  readonly #links: readonly Link[];
  readonly #results: readonly SequenceEdge[];

  /**
   * @param links at least one, checked by `buildSequence`.
   * @param results one per output of the last one.
   */
  constructor(name: string, links: readonly Link[], results: readonly SequenceEdge[]) {
    const first = (links[0] as Link).step;
    const last = (links.at(-1) as Link).step;
    this.name = name;
    this.inputs = first.inputs;
    this.outputs = last.outputs;
    this.prediction = last.prediction;
    this.labels = last.labels;
    this.score = last.score;
    this.#links = links;
    this.#results = results;
  }

  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const run = new SequenceRun(inputs, context);
    for (const link of this.#links) await run.runLink(link);
    return run.end(this.#results);
  }
}

/** What a source gave, or what stands in for that. */
interface SourceTensors {
  readonly tensors: readonly Tensor[];
  readonly isStandIn: boolean;
}

class SequenceRun {
  readonly #context: StepContext;
  readonly #given: SourceTensors[];
  readonly #observed: Tensor[] = [];
  readonly #degraded: Degradation[] = [];

  constructor(inputs: readonly Tensor[], context: StepContext) {
    this.#context = context;
    this.#given = [{ tensors: inputs, isStandIn: false }];
  }

  async runLink({ step, edges, onError }: Link): Promise<void> {
    const inputs = edges.map((edge) => this.#take(edge) ?? this.#missing(edge, step));
    const trace = this.#context.trace.begin(step.name, step.kind);
    try {
      const outcome = await runStep(step, inputs, this.#context, trace);
      this.#give(outcome, false);
    } catch (error) {
      if (onError === "fail" || this.#isOver) throw error;
      const kind = onError === "skip" ? "skipped" : "fallback";
      this.#degraded.push({ kind, step: step.name, code: codeOf(error), cause: error });
      if (onError === "skip") {
        trace.skip();
        this.#given.push({ tensors: inputs, isStandIn: true });
      } else {
        this.#give(await this.#runFallback(onError, inputs, error), true);
      }
    }
  }

  /** The last source answers; where its step failed, what stands in for its outputs. */
  end(results: readonly SequenceEdge[]): StepOutcome {
    const last = this.#given.at(-1) as SourceTensors;
    const outputs = last.isStandIn
      ? results.map((edge) => this.#take(edge)).filter((tensor) => tensor !== undefined)
      : last.tensors;
    return { outputs, observed: this.#observed, degraded: this.#degraded };
  }

  /** @throws why the first step failed, when the one in its place fails too. */
  async #runFallback(
    { step, edges }: Fallback,
    given: readonly Tensor[],
    reason: unknown,
  ): Promise<StepOutcome> {
    const inputs = edges.map((edge) => carry(given[edge.index] as Tensor, edge));
    try {
      return await runStep(step, inputs, this.#context);
    } catch (error) {
      throw this.#isOver ? error : reason;
    }
  }

  #give({ outputs, observed, degraded }: StepOutcome, isStandIn: boolean): void {
    this.#given.push({ tensors: outputs, isStandIn });
    this.#observed.push(...observed);
    this.#degraded.push(...degraded);
  }

  #take(edge: SequenceEdge): Tensor | undefined {
    const { tensors, isStandIn } = this.#given[edge.source] as SourceTensors;
    const own = isStandIn && edge.standIn !== undefined ? edge.standIn : edge;
    const tensor = tensorAt(own, tensors);
    return tensor === undefined ? undefined : carry(tensor, own);
  }

  #missing({ from, target }: Edge, step: Step): never {
    const lost = this.#degraded.find((one) => one.kind === "missing" && one.step === from);
    throw new MillraceError(
      lost?.code ?? "MODEL_FAILED",
      `Cannot predict: step "${step.name}" takes "${target.name}" from branch "${from}", which is missing`,
      { cause: lost?.cause },
    );
  }

  /** Nobody waits any more: what failed now must not be replaced. */
  get #isOver(): boolean {
    const { cancellation, clock, deadlineAtMs } = this.#context;
    return cancellation?.isCancelled === true || clock.nowMs() >= deadlineAtMs;
  }
}
