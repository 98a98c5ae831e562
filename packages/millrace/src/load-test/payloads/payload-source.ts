import { SeededDraws } from "../../core/load/seeded-draws.ts";
import type { LoadPlan } from "../load-plan.ts";
import type { Start } from "../clients/load-client.ts";
import { BodyWriter } from "./body-writer.ts";
import type { LoadBody } from "./load-target.ts";

/**
 * What each start sends. The seed and the number of the start decide it, so it does not matter which thread asks, when,
 * or how often.
 */
export class PayloadSource {
  readonly #targetCount: number;
  /** Sums of the targets' weights; empty where targets take turns. */
  readonly #weightSums: Float64Array;
  readonly #draws: SeededDraws;
  /** Bodies that are the same for every request; undefined for the others. */
  readonly #fixed: readonly (Uint8Array | undefined)[];
  readonly #writer: BodyWriter;

  /** @throws LoadInputError when a body could become larger than a load test sends. */
  constructor(plan: Pick<LoadPlan, "targets" | "choice" | "rows" | "seed">) {
    this.#targetCount = plan.targets.length;
    this.#weightSums = plan.choice === "by-weight" ? sumsOf(plan.targets) : new Float64Array(0);
    this.#draws = new SeededDraws(plan.seed, "target");
    const bodies = plan.targets.map((target) => target.body);
    this.#fixed = bodies.map(fixedBytes);
    this.#writer = new BodyWriter(bodies, plan.rows, plan.seed);
  }

  /** @returns index in the plan's targets. */
  targetOf(seq: number): number {
    const sums = this.#weightSums;
    if (sums.length === 0) return seq % this.#targetCount;
    this.#draws.startAt(seq);
    const drawn = this.#draws.next() * (sums.at(-1) as number);
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) > drawn) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Is the body of this target the same for every request? */
  isFixed(target: number): boolean {
    return this.#fixed[target] !== undefined;
  }

  /** @returns the body, empty where there is none; unless it is fixed, valid until the next call. */
  bodyOf(start: Start): Uint8Array {
    const { target } = start;
    return this.#fixed[target] ?? this.#writer.write(target, start.seq);
  }
}

function sumsOf(targets: LoadPlan["targets"]): Float64Array {
  let sum = 0;
  return Float64Array.from(targets, (target) => (sum += target.weight));
}

function fixedBytes(body: LoadBody): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  for (const part of body) {
    if (part.kind !== "bytes") return undefined;
    parts.push(part.bytes);
  }
  return Buffer.concat(parts);
}
