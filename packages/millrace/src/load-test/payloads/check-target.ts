import { LoadInputError } from "../load-input-error.ts";

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;

/** Whatever ends a header, or its line. */
// eslint-disable-next-line no-control-regex
const UNSENDABLE = /[\0\r\n]/;

const TARGETS_MAX = 100_000;

/** @returns the URL; where it names no host, as vegeta's examples do, that of this machine. @throws LoadInputError */
export function checkUrl(url: string, where: string): string {
  const whole = url.replace(/^(https?:\/\/):/, "$1localhost:");
  const protocol = URL.canParse(whole) ? new URL(whole).protocol : "";
  if (protocol === "http:" || protocol === "https:") return whole;
  throw new LoadInputError(
    `${where}: expected a URL like http://localhost:8000/, found ${JSON.stringify(url)}`,
  );
}

/** @throws LoadInputError */
export function checkMethod(method: string, where: string): string {
  if (TOKEN.test(method)) return method;
  throw new LoadInputError(
    `${where}: expected a method like POST, found ${JSON.stringify(method)}`,
  );
}

/** @throws LoadInputError */
export function checkHeader(
  header: readonly [name: string, value: string],
  where: string,
): readonly [name: string, value: string] {
  const [name, value] = header;
  if (TOKEN.test(name) && !UNSENDABLE.test(value)) return header;
  throw new LoadInputError(`${where}: ${JSON.stringify(name)} is no header that can be sent`);
}

/** @throws LoadInputError when there are too many. */
export function checkTargetCount(count: number, where: string): void {
  if (count > TARGETS_MAX) throw new LoadInputError(`${where}: more than ${TARGETS_MAX} targets`);
}
