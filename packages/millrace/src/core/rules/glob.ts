/** Longest pattern that may be configured, in UTF-16 code units. */
export const GLOB_LENGTH_MAX = 128;

/** Longest text a pattern is held against; what is longer is no value that anybody routes by. */
export const GLOB_TEXT_LENGTH_MAX = 8192;

/**
 * Does the whole text match, where `*` stands for any run of characters, also none, and `?` for one UTF-16 code unit?
 * All else stands for itself, in its case.
 *
 * A mismatch goes back to the last `*` only, which is enough: what an earlier one could take, the last one can. So a
 * text costs at most its length times the longest part between two `*`, where a regular expression may take forever.
 */
export function matchesGlob(text: string, glob: string): boolean {
  let at = 0;
  let inGlob = 0;
  let star = -1;
  /** Where the text that the last `*` takes ends. */
  let starEnd = 0;
  while (at < text.length) {
    if (glob[inGlob] === "*") {
      star = inGlob++;
      starEnd = at;
    } else if (glob[inGlob] === "?" || glob[inGlob] === text[at]) {
      inGlob++;
      at++;
    } else if (star !== -1) {
      inGlob = star + 1;
      at = ++starEnd;
    } else {
      return false;
    }
  }
  while (glob[inGlob] === "*") inGlob++;
  return inGlob === glob.length;
}
