import { MillraceError } from "../../core/errors.ts";

/** Is there nobody to ask, and was there never anybody? Before the first prediction of a new folder that is no trouble. */
export function isUnwritten(error: unknown, before: object | undefined): boolean {
  return before === undefined && error instanceof MillraceError && error.code === "LOG_UNAVAILABLE";
}
