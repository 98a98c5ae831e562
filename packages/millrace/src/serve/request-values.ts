import type { RequestValue } from "../config/request-value.ts";
import type { JsonValue } from "../core/json.ts";
import { textOf } from "../core/predictions/redaction.ts";
import type { Attributes } from "../core/rules/attributes.ts";
import { valueAtPath } from "../core/rules/value-at-path.ts";
import type { Reads } from "../models/predictor.ts";

/** Longest token that is looked into. */
const TOKEN_CHARACTERS_MAX = 8_192;

/** A value of a request as text; undefined when it is not there. */
export function requestText(attributes: Attributes, value: RequestValue): string | undefined {
  if (value.from === "jwt") return claimText(attributes.header("authorization"), value.path);
  if (value.from !== "body") return attributes[value.from](value.name);
  const found = attributes.body(value.path);
  return found === undefined || found === null ? undefined : textOf(found);
}

/**
 * A claim of a bearer token (RFC 7519). Whoever checks the signature stands in front of Millrace; here it only tells
 * callers apart.
 */
function claimText(authorization: string | undefined, path: readonly string[]): string | undefined {
  if (authorization === undefined || authorization.length > TOKEN_CHARACTERS_MAX) return undefined;
  const payload = /^bearer +[\w-]+\.([\w-]+)\./i.exec(authorization)?.[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
    const found = valueAtPath(claims as JsonValue, path);
    return found === undefined || found === null || typeof found === "object"
      ? undefined
      : textOf(found);
  } catch {
    return undefined;
  }
}

/** What is to be read of a request before these can be asked for. */
export function readsOfValues(values: readonly RequestValue[]): Reads {
  if (values.length === 0) return "nothing";
  return values.some(({ from }) => from === "body") ? "body" : "head";
}
