import { MillraceError, PROBLEMS_MAX, type Problem } from "../errors.ts";

/** Where something stands: `["body", 3, "label"]`. */
export type Place = readonly (string | number)[];

/** Collects what is wrong with feedback, so that all of it is answered at once. */
export class FeedbackProblems {
  readonly #found: Problem[] = [];
  #count = 0;

  /** @param message what was found and what is allowed. */
  add(location: Place, type: string, message: string): undefined {
    this.#count++;
    if (this.#found.length < PROBLEMS_MAX) this.#found.push({ location, message, type });
  }

  get isFull(): boolean {
    return this.#count > PROBLEMS_MAX;
  }

  /** @throws INVALID_BODY when something is wrong. */
  throwIfAny(): void {
    const [first] = this.#found;
    if (first === undefined) return;
    const more = this.#count === 1 ? "" : `, and ${this.#count - 1} more`;
    throw new MillraceError(
      "INVALID_BODY",
      `Cannot take the feedback: ${placeText(first.location)}: ${first.message}${more}`,
      { problems: this.#found },
    );
  }
}

function placeText(place: Place): string {
  return place.join(".");
}
