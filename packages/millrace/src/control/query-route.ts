import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { parseDuration } from "../config/duration.ts";
import { MillraceError } from "../core/errors.ts";
import type { QueryEngine, QueryFormat } from "../ports/query-engine.ts";
import type { ServingProcesses } from "./control-messages.ts";
import { readQueryBody } from "./query-body.ts";

/** Media types an answer may have; JSON when none of them is asked for. */
const MEDIA_TYPES: Readonly<Record<Exclude<QueryFormat, "json">, string>> = {
  csv: "text/csv",
  jsonl: "application/x-ndjson",
  parquet: "application/vnd.apache.parquet",
};

/**
 * SQL over the prediction log. The log has what people sent to be predicted on, so only `admin` may ask: `read` comes
 * with every key that may predict.
 * @param engine undefined where there is no log.
 */
export function addQueryRoute(
  app: FastifyInstance,
  engine: QueryEngine | undefined,
  processes: Pick<ServingProcesses, "liveValues">,
): void {
  app.post("/api/v1/query", { config: { scope: "admin" } }, async (request, reply) => {
    const { timeoutMs, ...asked } = readQueryBody(bodyOf(request));
    if (engine === undefined) throw noLog();
    const limitMs = await timeoutInForce(processes);
    const order = {
      ...asked,
      format: formatOf(request.headers.accept),
      timeoutMs: timeoutMs === undefined ? limitMs : Math.min(timeoutMs, limitMs ?? timeoutMs),
    };
    const result = await engine.query(order, goneSignal(reply));
    if (result.kind === "rows") {
      const { columns, rows, isCut, tookMs } = result;
      return { columns, rows, cut: isCut, took_ms: tookMs };
    }
    void reply.header("x-query-cut", String(result.isCut));
    void reply.header("x-query-took-ms", String(result.tookMs));
    void reply.type(MEDIA_TYPES[order.format as keyof typeof MEDIA_TYPES]);
    return reply.send(Buffer.from(result.bytes));
  });
}

/** @returns undefined when nobody can say: the limit of the start holds then. */
async function timeoutInForce(
  processes: Pick<ServingProcesses, "liveValues">,
): Promise<number | undefined> {
  const [row] = await processes.liveValues("log.query.timeout").catch(() => []);
  if (typeof row?.value === "number") return row.value;
  return typeof row?.value === "string" ? parseDuration(row.value) : undefined;
}

function formatOf(accept = ""): QueryFormat {
  const formats = Object.keys(MEDIA_TYPES) as (keyof typeof MEDIA_TYPES)[];
  return formats.find((format) => accept.includes(MEDIA_TYPES[format])) ?? "json";
}

/** Aborts when the caller hangs up before the answer is there. */
function goneSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableEnded) controller.abort(cancelled());
  });
  return controller.signal;
}

function cancelled(): MillraceError {
  return new MillraceError("CANCELLED", "Cannot answer the query: the client has gone");
}

function noLog(): MillraceError {
  return new MillraceError(
    "LOG_UNAVAILABLE",
    "Cannot query the log: there is none; log.sink: parquet and a folder in state.dir make one",
  );
}

function bodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}
