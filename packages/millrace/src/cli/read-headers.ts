import { UsageError } from "./command.ts";

export type Header = readonly [name: string, value: string];

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** What the client writes by itself. */
const OWN: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** Headers as they are typed, `NAME: VALUE`. @throws UsageError, without the value: it may be a secret. */
export function readHeaders(texts: readonly string[]): readonly Header[] {
  return texts.map((text) => {
    const colon = text.indexOf(":");
    if (colon < 1) throw new UsageError("--header: expected NAME: VALUE, found no colon");
    const name = text.slice(0, colon).trim();
    const value = text.slice(colon + 1).trim();
    if (!NAME.test(name)) {
      throw new UsageError(`--header: ${JSON.stringify(name)} is no name of a header`);
    }
    if (OWN.has(name.toLowerCase())) {
      throw new UsageError(`--header ${name}: it is written by the client itself`);
    }
    if (!isPrintable(value)) {
      throw new UsageError(`--header ${name}: its value has characters that a header cannot have`);
    }
    return [name, value];
  });
}

/** Latin-1 without control characters, as RFC 9110 allows; a tab is one it allows too. */
function isPrintable(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** A URL without the user and password in it, which become a header. */
export function withoutUserInfo(
  url: string,
  headers: readonly Header[],
): [string, readonly Header[]] {
  const parsed = new URL(url);
  if (parsed.username === "" && parsed.password === "") return [url, headers];
  const user = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  parsed.username = "";
  parsed.password = "";
  const basic: Header = ["authorization", `Basic ${Buffer.from(user).toString("base64")}`];
  const isNamed = headers.some(([name]) => name.toLowerCase() === "authorization");
  return [parsed.href, isNamed ? headers : [...headers, basic]];
}
