import { LoadInputError } from "../load-input-error.ts";
import type { BodyFiles } from "./body-files.ts";
import { checkHeader, checkTargetCount, checkUrl } from "./check-target.ts";
import type { LoadTarget } from "./load-target.ts";
import type { TargetsOptions } from "./targets-options.ts";

const FIRST_LINE = /^([A-Z]+)\s+(\S.*)$/;

/**
 * vegeta's http format: a line of method and URL, lines of headers, and at the end perhaps `@` and the file of the body.
 * Blank lines are between targets, and lines that begin with `#` are comments.
 * @throws LoadInputError
 */
export async function readHttpTargets(
  text: string,
  options: TargetsOptions,
  bodies: BodyFiles,
): Promise<readonly LoadTarget[]> {
  const targets: LoadTarget[] = [];
  let open: OpenTarget | undefined;
  let number = 0;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const where = `${options.file}:${++number}`;
    if (line.startsWith("#")) continue;
    if (line === "") open = undefined;
    else if (open === undefined || FIRST_LINE.test(line)) {
      open = openTarget(line, where, options);
      targets.push(open);
      checkTargetCount(targets.length, where);
    } else if (line.startsWith("@")) {
      open.body = await bodies.read(line.slice(1).trim(), where);
      open = undefined;
    } else open.headers.push(readHeader(line, where));
  }
  return targets;
}

interface OpenTarget extends LoadTarget {
  readonly headers: (readonly [string, string])[];
  body: LoadTarget["body"];
}

function openTarget(line: string, where: string, options: TargetsOptions): OpenTarget {
  const [, method, url] = FIRST_LINE.exec(line) ?? [];
  if (method === undefined || url === undefined) {
    throw new LoadInputError(
      `${where}: expected a method and a URL, like GET http://localhost:8000/, found ${shown(line)}`,
    );
  }
  return {
    method,
    url: checkUrl(url, where),
    headers: [...options.headers],
    body: options.body,
    weight: 1,
  };
}

function readHeader(line: string, where: string): readonly [string, string] {
  const colon = line.indexOf(":");
  const header = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const;
  if (colon > 0 && header[1] !== "") return checkHeader(header, where);
  throw new LoadInputError(
    `${where}: expected a header like name: value, or @ and the file of the body, found ${shown(line)}`,
  );
}

function shown(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}…` : line);
}
