type Headers = ReadonlyMap<string, readonly string[]>;

/** Headers as they stand on the wire, ordered by name, an empty line behind them, in base64; "" of none that were kept. */
export function writeHeaderBlock(headers: Headers | undefined): string {
  if (headers === undefined) return "";
  const lines = sortedHeaders(headers).flatMap(([name, values]) =>
    values.map((value) => `${name}: ${value.replace(/[\r\n]/gu, " ").trim()}\r\n`),
  );
  return Buffer.from(`${lines.join("")}\r\n`).toString("base64");
}

/** @returns undefined of "". */
export function readHeaderBlock(base64: string): Headers | undefined {
  if (base64 === "") return undefined;
  const headers = new Map<string, string[]>();
  for (const line of Buffer.from(base64, "base64").toString().split(/\r?\n/u)) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim();
    const values = headers.get(name) ?? [];
    values.push(line.slice(colon + 1).trim());
    headers.set(name, values);
  }
  return headers;
}

/** By name, as Go writes them. */
export function sortedHeaders(headers: Headers): readonly (readonly [string, readonly string[]])[] {
  return [...headers].sort(([one], [other]) => (one < other ? -1 : Number(one > other)));
}
