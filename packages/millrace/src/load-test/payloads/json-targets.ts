import { messageOf } from "../../core/message-of.ts";
import { LoadInputError } from "../load-input-error.ts";
import type { BodyFiles } from "./body-files.ts";
import { checkHeader, checkMethod, checkTargetCount, checkUrl } from "./check-target.ts";
import type { LoadTarget } from "./load-target.ts";
import type { TargetsOptions } from "./targets-options.ts";

const BASE64 = /^[A-Za-z\d+/]*={0,2}$/;

const WEIGHT_MAX = 1e9;

/**
 * vegeta's json format: an object a line with `method`, `url` and perhaps `header`, lists of texts by name, and `body` in
 * base64. A `weight` is ours; other members are nobody's.
 * @throws LoadInputError
 */
export function readJsonTargets(
  text: string,
  options: TargetsOptions,
  bodies: BodyFiles,
): readonly LoadTarget[] {
  const targets: LoadTarget[] = [];
  let number = 0;
  for (const raw of text.split("\n")) {
    const line = raw.trim();
    const where = `${options.file}:${++number}`;
    if (line === "") continue;
    targets.push(readTarget(parseLine(line, where), { where, options, bodies }));
    checkTargetCount(targets.length, where);
  }
  return targets;
}

interface TargetContext {
  readonly where: string;
  readonly options: TargetsOptions;
  readonly bodies: BodyFiles;
}

type Members = Readonly<Record<string, unknown>>;

function readTarget(members: Members, { where, options, bodies }: TargetContext): LoadTarget {
  const { method, url } = members;
  if (typeof method !== "string" || typeof url !== "string") {
    throw new LoadInputError(`${where}: expected the texts "method" and "url"`);
  }
  const body = readBody(members["body"], where);
  return {
    method: checkMethod(method, where),
    url: checkUrl(url, where),
    headers: [...options.headers, ...readHeaders(members["header"], where)],
    body: body === undefined ? options.body : bodies.parse(body, where),
    weight: readWeight(members["weight"], where),
  };
}

function parseLine(line: string, where: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new LoadInputError(`${where}: ${messageOf(error)}`, { cause: error });
  }
  if (isMembers(value)) return value;
  throw new LoadInputError(`${where}: expected a JSON object a line`);
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @returns undefined where there is none, or an empty one. */
function readBody(body: unknown, where: string): Uint8Array | undefined {
  if (body === undefined || body === null || body === "") return undefined;
  if (typeof body === "string" && body.length % 4 === 0 && BASE64.test(body)) {
    return Buffer.from(body, "base64");
  }
  throw new LoadInputError(`${where}: expected "body" in base64`);
}

function readHeaders(header: unknown, where: string): LoadTarget["headers"] {
  if (header === undefined || header === null) return [];
  const problem = `${where}: expected "header" like {"content-type": ["application/json"]}`;
  if (!isMembers(header)) throw new LoadInputError(problem);
  return Object.entries(header).flatMap(([name, values]) => {
    if (!Array.isArray(values)) throw new LoadInputError(problem);
    return values.map((value: unknown) => {
      if (typeof value !== "string") throw new LoadInputError(problem);
      return checkHeader([name, value], where);
    });
  });
}

function readWeight(weight: unknown, where: string): number {
  if (weight === undefined || weight === null) return 1;
  if (typeof weight === "number" && weight > 0 && weight <= WEIGHT_MAX) return weight;
  throw new LoadInputError(`${where}: expected "weight" above 0, at most ${WEIGHT_MAX}`);
}
