import type { FeedbackProblems, Place } from "./feedback-problems.ts";

export const NOT_UNICODE = "found text that is not Unicode: half of a surrogate pair";

/** @returns the text; undefined after it has noted that it is empty, too long or not Unicode. */
export function checkText(
  text: string,
  lengthMax: number,
  { place, problems }: { readonly place: Place; readonly problems: FeedbackProblems },
): string | undefined {
  const { length } = text;
  if (length === 0 || length > lengthMax) {
    const message = `found ${length} characters, expected 1 to ${lengthMax}`;
    return problems.add(place, "range", message);
  }
  return text.isWellFormed() ? text : problems.add(place, "text", NOT_UNICODE);
}
