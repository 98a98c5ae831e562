import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { MillraceError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { OverrideState } from "../ports/override-store.ts";
import { readManyValues, readOneValue, readUnsetting, type ChangeBody } from "./change-body.ts";
import type { ServingProcesses } from "./control-messages.ts";
import { noOverride, type ChangeFacts, type OverrideChanges } from "./override-changes.ts";
import { eventJson, overrideJson } from "./override-json.ts";
import { userName } from "./user-name.ts";

const BASE = "/api/v1/overrides";
const HISTORY_LIMIT_DEFAULT = 100;
const HISTORY_LIMIT_MAX = 1000;

interface PathParams {
  /** What follows the route: a path of the configuration. */
  readonly "*": string;
}

interface HistoryParams {
  readonly history?: string;
  readonly limit?: string;
  readonly path?: string;
}

type PathRequest = FastifyRequest<{ Params: PathParams; Querystring: HistoryParams }>;

/** Live changes: what is overridden, since when, by whom and why; and changes of it. */
export function addOverrideRoutes(
  app: FastifyInstance,
  changes: OverrideChanges,
  processes: ServingProcesses,
): void {
  const read = { config: { scope: "read" } } as const;
  const admin = { config: { scope: "admin" } } as const;

  app.get<{ Querystring: HistoryParams }>(BASE, read, async ({ query }, reply) => {
    if (isAsked(query.history)) return history(query.path, query);
    const { setAside } = await processes.status();
    const { version, overrides } = changes.state;
    tag(reply, changes.state);
    return { version, overrides: overrides.map(overrideJson), set_aside: setAside };
  });

  app.put(BASE, admin, async (request, reply) => {
    const body = readManyValues(bodyOf(request));
    const state = await change(request, body);
    tag(reply, state);
    const set = state.overrides.filter(({ path }) => body.set.has(path));
    const unset = await Promise.all(body.unset.map((path) => valueNow(path)));
    return { version: state.version, overrides: set.map(overrideJson), unset };
  });

  app.get(`${BASE}/*`, read, async ({ params, query }: PathRequest, reply) => {
    const path = params["*"];
    if (isAsked(query.history)) return history(path, query);
    tag(reply, changes.state);
    const override = changes.state.overrides.find((found) => found.path === path);
    if (override !== undefined) return overrideJson(override);
    const [row] = await processes.liveValues(path);
    const inForce = row?.value === undefined ? "" : `; in force is ${JSON.stringify(row.value)}`;
    throw noOverride([path], row === undefined ? "" : `${inForce} (${row.source})`);
  });

  app.put(`${BASE}/*`, admin, async (request: PathRequest, reply) => {
    const path = request.params["*"];
    const state = await change(request, readOneValue(path, bodyOf(request)));
    tag(reply, state);
    const override = state.overrides.find((found) => found.path === path);
    return override === undefined ? { version: state.version } : overrideJson(override);
  });

  app.delete(`${BASE}/*`, admin, async (request: PathRequest, reply) => {
    const path = request.params["*"];
    const { by, reason } = readUnsetting(bodyOf(request));
    const wanted = {
      set: new Map<string, JsonValue>(),
      unset: [path],
      forMs: undefined,
      reason,
      by,
    };
    const state = await change(request, wanted);
    tag(reply, state);
    return { ...(await valueNow(path)), version: state.version };
  });

  function change(request: FastifyRequest, body: ChangeBody): Promise<OverrideState> {
    return changes.change(body, factsOf(request, body.by, body.reason));
  }

  /** What is in force since the path was given back. */
  async function valueNow(path: string): Promise<object> {
    const [row] = await processes.liveValues(path).catch(() => []);
    return { path, value: row?.value ?? null, source: row?.source ?? null };
  }

  async function history(path: string | undefined, { limit }: HistoryParams): Promise<object> {
    const events = await changes.history({ path, limit: limitOf(limit) });
    return { version: changes.state.version, history: events.map(eventJson) };
  }
}

/** A change may name the version it is for: `If-Match: "12"`. */
function tag(reply: FastifyReply, { version }: OverrideState): void {
  void reply.header("etag", `"${version}"`);
}

/** The name of the caller's key is who did it; where none is needed, who the caller says it is. */
function factsOf(request: FastifyRequest, by: string | undefined, reason: string): ChangeFacts {
  return {
    by: request.caller ?? by ?? userName(),
    reason,
    versionBefore: versionBefore(request.headers["if-match"]),
  };
}

function versionBefore(header: string | undefined): number | undefined {
  if (header === undefined || header === "*") return undefined;
  const [, digits] = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header.trim()) ?? [];
  if (digits !== undefined) return Number(digits);
  throw new MillraceError(
    "INVALID_HEADER",
    'Cannot read if-match: expected a version such as "12"',
    {
      problems: [{ location: ["header", "if-match"], message: "expected a version", type: "type" }],
    },
  );
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return HISTORY_LIMIT_DEFAULT;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= HISTORY_LIMIT_MAX) return limit;
  const message = `expected a whole number 1 to ${HISTORY_LIMIT_MAX}`;
  throw new MillraceError("INVALID_BODY", `Cannot read the query: limit ${message}`, {
    problems: [{ location: ["query", "limit"], message, type: "range" }],
  });
}

function isAsked(flag: string | undefined): boolean {
  return flag === "1" || flag === "true" || flag === "";
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}
