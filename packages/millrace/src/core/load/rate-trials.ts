import type { CapacityStep, StepOutcome } from "./capacity.ts";

/** Full steps that have to miss. */
const MISSES = 2;

/** Steps that are set aside because they were not steady; what comes after them counts as it is. */
const UNSTEADY_MAX = 1;

/** All that was tried at one rate. */
export class RateTrials {
  readonly rate: number;
  /** Those that count. */
  readonly #held: StepOutcome[] = [];
  readonly #missed: StepOutcome[] = [];
  #phase: CapacityStep["phase"] = "double";
  #isOversaturated = false;
  /** The last step that counts held. */
  #holds = false;
  #confirmations: StepOutcome[] = [];
  #unsteady = 0;

  constructor(rate: number) {
    this.rate = rate;
  }

  /** @param isFull it had as many requests, or as much time, as a step may have; misses of others do not count. */
  add(outcome: StepOutcome, isFull: boolean): void {
    this.#phase = outcome.step.phase;
    if (outcome.isOversaturated) {
      this.#isOversaturated = true;
      this.#addMiss(outcome);
    } else if (!outcome.isSteady && this.#unsteady < UNSTEADY_MAX) {
      this.#unsteady++;
      this.#holds = false;
    } else if (outcome.missed.length === 0) this.#addHeld(outcome);
    else if (isFull) this.#addMiss(outcome);
    else this.#holds = false;
  }

  /** `open`: it has to be asked again. */
  get verdict(): "holds" | "fails" | "open" {
    if (this.#isOversaturated || this.#missed.length >= MISSES) return "fails";
    return this.#holds ? "holds" : "open";
  }

  /** Of the last step. */
  get phase(): CapacityStep["phase"] {
    return this.#phase;
  }

  /** Confirming steps that held, since the last one that did not. */
  get confirmations(): number {
    return this.#confirmations.length;
  }

  /** The generator may be why every one was missed. */
  get isSpoiled(): boolean {
    return this.#missed.length > 0 && this.#missed.every(({ spoiled }) => spoiled !== undefined);
  }

  get isUnsteady(): boolean {
    return this.#unsteady > 0;
  }

  get held(): readonly StepOutcome[] {
    return this.#held;
  }

  get missed(): readonly StepOutcome[] {
    return this.#missed;
  }

  /** The steps that what is stated of the rate comes from: those that confirmed it, else those that held. */
  get evidence(): readonly StepOutcome[] {
    return this.#confirmations.length > 0 ? this.#confirmations : this.#held;
  }

  #addHeld(outcome: StepOutcome): void {
    this.#held.push(outcome);
    this.#holds = true;
    if (outcome.step.phase === "confirm") this.#confirmations.push(outcome);
  }

  #addMiss(outcome: StepOutcome): void {
    this.#missed.push(outcome);
    this.#holds = false;
    this.#confirmations = [];
  }
}
