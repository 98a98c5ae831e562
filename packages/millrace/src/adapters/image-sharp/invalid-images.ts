import { MillraceError, type Problem } from "../../core/errors.ts";

/** Input of an image step, as requests call it. */
export const IMAGE_INPUT = "image_data";

/** What is wrong with one picture of a request. */
export function imageProblem(row: number, message: string, type: "image" | "size"): Problem {
  return { location: ["body", IMAGE_INPUT, row], message, type };
}

/** One error for all `problems`, at least one; its message is the first one. */
export function invalidImages(problems: readonly Problem[], cause?: unknown): MillraceError {
  const [first] = problems as readonly [Problem];
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  const message = `Cannot read ${first.location.join(".")}: ${first.message}${more}`;
  return new MillraceError("INVALID_IMAGE", message, { problems, cause });
}
