/**
 * The first value of that name in a query, decoded (application/x-www-form-urlencoded): `+` is a space, `%41` is `A`.
 * A value with a broken `%` stands as it is. One pass over the text.
 *
 * @param text behind the `?`.
 */
export function readQuery(text: string, name: string): string | undefined {
  let start = 0;
  while (start < text.length) {
    const ampersand = text.indexOf("&", start);
    const end = ampersand === -1 ? text.length : ampersand;
    const nameEnd = nameEndOf(text, start, end);
    if (end > start && isName(text, start, nameEnd, name)) {
      return decode(text.slice(nameEnd + 1, end));
    }
    start = end + 1;
  }
  return undefined;
}

/** Where the pair's `=` stands, or its end: a name alone has an empty value. */
function nameEndOf(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text[at] !== "=") at++;
  return at;
}

function isName(text: string, start: number, end: number, name: string): boolean {
  // Encoded letters are longer, never shorter.
  return end - start >= name.length && decode(text.slice(start, end)) === name;
}

function decode(text: string): string {
  if (!text.includes("%") && !text.includes("+")) return text;
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
