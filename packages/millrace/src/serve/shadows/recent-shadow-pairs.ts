import type { ExplainedShadow } from "../../core/predictions/explanation.ts";
import { RECENT_PREDICTIONS_MAX } from "../recent-predictions.ts";

interface RecentPair {
  readonly predictionId: string;
  readonly shadow: ExplainedShadow;
}

/** What the shadows said of the last predictions of this process, for `explain`. */
export class RecentShadowPairs {
  readonly #pairs: RecentPair[] = [];
  #next = 0;

  add(predictionId: string, shadow: ExplainedShadow): void {
    this.#pairs[this.#next] = { predictionId, shadow };
    this.#next = (this.#next + 1) % RECENT_PREDICTIONS_MAX;
  }

  /** @returns undefined when nothing is known. */
  find(predictionId: string): readonly ExplainedShadow[] | undefined {
    const found = this.#pairs.filter((pair) => pair.predictionId === predictionId);
    return found.length === 0 ? undefined : found.map(({ shadow }) => shadow);
  }
}
