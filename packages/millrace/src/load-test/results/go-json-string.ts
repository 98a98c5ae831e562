/** What Go's JSON writers escape: they keep what is safe inside of HTML. */
// oxlint-disable-next-line no-control-regex -- they are what it is about
const ESCAPED = /["\\\u0000-\u001f<>&\u2028\u2029]/gu;

/** Most texts have nothing of it, and no half of a character. */
// oxlint-disable-next-line no-control-regex -- they are what it is about
const NOT_PLAIN = /["\\\u0000-\u001f<>&\u2028\u2029\ud800-\udfff]/;

const SHORT: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** A text as a JSON string, byte by byte as vegeta's result encoder writes it. */
export function goJsonString(text: string): string {
  if (!NOT_PLAIN.test(text)) return `"${text}"`;
  const escaped = text.toWellFormed().replace(ESCAPED, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, "0");
    return SHORT.get(character) ?? `\\u${code}`;
  });
  return `"${escaped}"`;
}
