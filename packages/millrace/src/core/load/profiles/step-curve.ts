import type { RateCurve } from "./rate-curve.ts";

export interface RateStep {
  /** Rising from step to step; that of the first one is 0. */
  readonly fromMs: number;
  /** Starts a second. */
  readonly rate: number;
}

/** Rates that hold until the next one begins. A constant rate is one step, a spike is three. */
export class StepCurve implements RateCurve {
  readonly #steps: readonly CountedStep[];

  constructor(steps: readonly RateStep[]) {
    const counted: CountedStep[] = [];
    for (const step of steps) {
      const last = counted.at(-1);
      const before = last === undefined ? 0 : startsIn(last, step.fromMs);
      counted.push({ ...step, before });
    }
    this.#steps = counted;
  }

  rateAt(atMs: number): number {
    return this.#lastWith((step) => step.fromMs <= atMs)?.rate ?? 0;
  }

  startsUntil(atMs: number): number {
    const step = this.#lastWith((candidate) => candidate.fromMs <= atMs);
    return step === undefined ? 0 : startsIn(step, atMs);
  }

  timeOf(starts: number): number {
    const steps = this.#steps;
    let low = 0;
    let high = steps.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((steps[middle] as CountedStep).before <= starts) low = middle;
      else high = middle - 1;
    }
    const { fromMs, rate, before } = steps[low] as CountedStep;
    return rate === 0 ? Infinity : fromMs + ((starts - before) * 1000) / rate;
  }

  #lastWith(isMet: (step: CountedStep) => boolean): CountedStep | undefined {
    return this.#steps.findLast(isMet);
  }
}

interface CountedStep extends RateStep {
  /** Starts due before this step. */
  readonly before: number;
}

function startsIn({ fromMs, rate, before }: CountedStep, untilMs: number): number {
  return rate === 0 ? before : before + (rate * (untilMs - fromMs)) / 1000;
}
