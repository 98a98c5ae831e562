import { dirname } from "node:path";
import type { LoadPlan, TlsPlan } from "../load-test/load-plan.ts";
import { parseBatchSizes } from "../load-test/payloads/batch-sizes.ts";
import { parseBody, type BodyFilling } from "../load-test/payloads/body-template.ts";
import type { LoadBody, LoadTarget, RowTable } from "../load-test/payloads/load-target.ts";
import { readTargets } from "../load-test/payloads/read-targets.ts";
import { readRowTable } from "../load-test/payloads/row-table.ts";
import { UsageError, type CommandIo } from "./command.ts";
import { readNamedFile, readPipe } from "./load-material.ts";
import type { MessageOrder } from "./load-message-order.ts";
import type { LoadOrder } from "./load-order.ts";
import type { TargetOrder } from "./load-target-order.ts";
import { findService, type LoadedService } from "./load-service.ts";
import { withoutUserInfo, type Header } from "./read-headers.ts";
import { imageTypeOf } from "./image-type.ts";
import { requestTo, withType } from "./service-request.ts";
import { rowsBody, sampleBody, sampleRows, type BodyForm } from "./service-body.ts";

/** What is sent. */
export interface LoadRequests {
  readonly targets: readonly LoadTarget[];
  readonly choice: LoadPlan["choice"];
  readonly rows: RowTable | undefined;
  /** Undefined where they go elsewhere. */
  readonly service: LoadedService | undefined;
}

/** @throws UsageError, LoadInputError, LoadFailure. */
export async function makeRequests(
  order: LoadOrder,
  tls: TlsPlan,
  io: CommandIo,
): Promise<LoadRequests> {
  const requests = await readRequests(order, tls, io);
  const { dataFile, batch } = order.message;
  const kinds = new Set(requests.targets.flatMap(({ body }) => body.map(({ kind }) => kind)));
  if (batch !== undefined && !kinds.has("rows")) {
    throw new UsageError("--batch: no request has {{rows}} in its body");
  }
  if (dataFile !== undefined && !ROW_KINDS.some((kind) => kinds.has(kind))) {
    throw new UsageError("--data: no request has {{row}}, {{rows}} or {{row.NAME}} in its body");
  }
  return requests;
}

const ROW_KINDS = ["row", "rows", "column"] as const;

async function readRequests(order: LoadOrder, tls: TlsPlan, io: CommandIo): Promise<LoadRequests> {
  const { message, target } = order;
  const sizes = parseBatchSizes(message.batch ?? "1");
  const rows = await readRows(message);
  const filling = { rows, sizes };
  const body = await readBodyFile(message.bodyFile, filling);
  const { headers } = message;
  switch (target.kind) {
    case "service": {
      const way = { tls, connect: order.sending.connect };
      const service = await findService(target, headers, way, io);
      return requestsOf(service, order, { filling, body });
    }
    case "url": {
      const isPost = body !== undefined || order.protocol.kind === "grpc";
      const method = message.method ?? (isPost ? "POST" : "GET");
      const typed = withType(headers, imageTypeIn(message));
      const named = { method, url: target.url, headers: typed, body: body ?? [], weight: 1 };
      return { targets: [withoutUser(named)], choice: "in-turn", rows, service: undefined };
    }
    case "targets": {
      const read = await readTargetsFile(target, { headers, body, filling }, io.cwd);
      return { ...read, rows, service: undefined };
    }
  }
}

async function readRows({
  dataFile,
  dataOrder: order,
}: MessageOrder): Promise<RowTable | undefined> {
  if (dataFile === undefined) return undefined;
  // It takes the database with it, which a csv file needs not.
  const openRowReader = async () => (await import("../load-main.ts")).openRowReader();
  return readRowTable(dataFile, { order, openRowReader });
}

interface Common {
  readonly headers: readonly Header[];
  readonly body: LoadBody | undefined;
  readonly filling: BodyFilling;
}

async function readTargetsFile(
  { file, format }: Extract<TargetOrder, { kind: "targets" }>,
  { headers, body = [], filling }: Common,
  cwd: string,
): Promise<Pick<LoadRequests, "targets" | "choice">> {
  const bytes = file === undefined ? await readPipe() : await readNamedFile("targets", file);
  const folders = file === undefined ? [cwd] : [dirname(file), cwd];
  const named = file ?? "the pipe";
  const text = Buffer.from(bytes).toString();
  const read = await readTargets(text, { format, file: named, folders, headers, body, filling });
  return { ...read, targets: read.targets.map(withoutUser) };
}

/** Neither reports nor errors name it then. */
function withoutUser(target: LoadTarget): LoadTarget {
  const [url, headers] = withoutUserInfo(target.url, target.headers);
  return { ...target, url, headers };
}

async function readBodyFile(
  path: string | undefined,
  filling: BodyFilling,
): Promise<LoadBody | undefined> {
  if (path === undefined) return undefined;
  const bytes = await readNamedFile("body", path);
  return imageTypeOf(path) === undefined
    ? parseBody(bytes, filling, path)
    : [{ kind: "bytes", bytes }];
}

/** @returns the media type of the body, where that is a picture. */
function imageTypeIn({ bodyFile }: MessageOrder): string | undefined {
  return bodyFile === undefined ? undefined : imageTypeOf(bodyFile);
}

function requestsOf(
  service: LoadedService,
  order: LoadOrder,
  { filling, body }: Pick<Common, "filling" | "body">,
): LoadRequests {
  const form: BodyForm = order.protocol.kind === "grpc" ? "infer" : "predict";
  const made =
    body === undefined ? serviceBody(service, form, order, filling) : { rows: filling.rows, body };
  const type = imageTypeIn(order.message);
  if (type !== undefined && form === "infer") {
    throw new UsageError(
      "--body: a picture goes over HTTP; over gRPC it is an input of the request",
    );
  }
  const target = { ...requestTo(service, form, type), body: made.body, weight: 1 };
  return { targets: [target], choice: "in-turn", rows: made.rows, service };
}

function serviceBody(
  service: LoadedService,
  form: BodyForm,
  { message }: LoadOrder,
  { rows, sizes }: BodyFilling,
): { readonly rows: RowTable | undefined; readonly body: LoadBody } {
  if (rows !== undefined) {
    const text = rowsBody(service, rows.columns, form);
    return { rows, body: parseBody(Buffer.from(text), { rows, sizes }, "--data") };
  }
  if (message.batch !== undefined) {
    const sample = sampleRows(service, form);
    const filling = { rows: sample.rows, sizes };
    return { rows: sample.rows, body: parseBody(Buffer.from(sample.body), filling, "--batch") };
  }
  const bytes = Buffer.from(sampleBody(service, form));
  return { rows: undefined, body: [{ kind: "bytes", bytes: Uint8Array.from(bytes) }] };
}
