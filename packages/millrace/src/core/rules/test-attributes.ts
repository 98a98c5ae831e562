import type { JsonValue } from "../json.ts";
import type { Attributes } from "./attributes.ts";
import { readCookie } from "./read-cookie.ts";
import { readQuery } from "./read-query.ts";
import { valueAtPath } from "./value-at-path.ts";

export interface TestRequest {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: JsonValue;
  readonly caller?: string;
  readonly unit?: string;
}

/** The attributes of a request that tests write down. */
export function attributesOf(request: TestRequest): Attributes {
  const headers = new Map(Object.entries(request.headers ?? {}));
  return {
    method: request.method ?? "POST",
    path: request.path ?? "/predict",
    header: (name) => headers.get(name),
    query: (name) => readQuery(request.query ?? "", name),
    cookie: (name) => readCookie(headers.get("cookie") ?? "", name),
    body: (path) => (request.body === undefined ? undefined : valueAtPath(request.body, path)),
    caller: request.caller,
    unit: request.unit ?? "unit",
  };
}
