/** Where a Redis server is, and what must not be printed of that. */
export interface RedisAddress {
  /** For people: without name, password and parameters. */
  readonly text: string;
  /** @returns the text without the password: servers quote what they did not understand. */
  redact(text: string): string;
}

/** @param url `redis://`, `rediss://`, or the absolute path of a socket. */
export function redisAddressOf(url: string): RedisAddress {
  if (!URL.canParse(url)) return { text: url, redact: (text) => text };
  const { protocol, host, pathname, password, searchParams } = new URL(url);
  const secrets = [password, decode(password), ...searchParams.getAll("password")];
  const known = secrets.filter((secret) => secret !== "");
  return {
    text: `${protocol}//${host}${pathname}`,
    redact: (text) => known.reduce((left, secret) => left.replaceAll(secret, "***"), text),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
