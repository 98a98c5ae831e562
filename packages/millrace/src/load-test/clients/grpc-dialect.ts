import { LoadInputError } from "../load-input-error.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import { inferMessage, type InferModel } from "../payloads/infer-message.ts";
import { statusText } from "./ending-texts.ts";
import { grpcStatus } from "./grpc-status.ts";
import type { Http2Answer, Http2Dialect, Http2Request, Outcome } from "./http2-dialect.ts";
import { plainHeaders } from "./plain-http2.ts";

/** Unary gRPC calls over HTTP/2. */
export const GRPC: Http2Dialect = { prepare, outcomeOf };

/** In front of a message: one byte that says whether it is compressed, four for its length. */
const FRAME_HEAD_BYTES = 5;

/** A text of a server in an error is cut here. */
const MESSAGE_CHARS_MAX = 200;

const OPEN_OBJECT = 0x7b;

const INFER_PATH = "/inference.GRPCInferenceService/ModelInfer";

/** The route of the REST protocol that means the same as ModelInfer. */
const INFER_ROUTE = /^\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?\/infer$/;

function prepare(target: LoadTarget): Http2Request {
  const { pathname } = new URL(target.url);
  const model = modelOf(pathname);
  const path = model === undefined ? pathname : INFER_PATH;
  const headers = target.headers.filter(([name]) => !/^(content-type|accept)$/i.test(name));
  const sent = plainHeaders({ ...target, method: "POST", headers }, path);
  return {
    headers: [...sent, "content-type", "application/grpc", "te", "trailers"],
    dataOf(body) {
      // No ModelInferRequest begins with "{": it would be the begin of a group, which it has none of.
      const isJson = path === INFER_PATH && body[0] === OPEN_OBJECT;
      if (isJson) return frameOf(inferMessage(body, model));
      if (model === undefined) return frameOf(body);
      throw new LoadInputError(
        `Cannot call ModelInfer for ${pathname}: the body is no JSON object`,
      );
    },
  };
}

function modelOf(pathname: string): InferModel | undefined {
  const [, name, version = ""] = INFER_ROUTE.exec(pathname) ?? [];
  return name === undefined ? undefined : { name: decoded(name), version: decoded(version) };
}

function frameOf(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, FRAME_HEAD_BYTES);
  return frame;
}

/** The status stands behind the messages, or in the head where there are none. */
function outcomeOf({ status, headers, trailers, bodyBytes }: Http2Answer): Outcome {
  const found = trailers?.["grpc-status"] ?? headers["grpc-status"];
  if (found === undefined) {
    // What answers is no gRPC server, maybe a proxy in front of one.
    const code = status >= 200 && status < 400 ? 500 : status;
    return { code, error: `${statusText(code)}: no grpc-status` };
  }
  const { name, httpStatus } = grpcStatus(String(found));
  if (name === "OK") {
    if (bodyBytes >= FRAME_HEAD_BYTES) return { code: 200, error: "" };
    return { code: 500, error: "500 INTERNAL: status OK without a message" };
  }
  const message = trailers?.["grpc-message"] ?? headers["grpc-message"];
  return { code: httpStatus, error: `${httpStatus} ${name}${textOf(message)}` };
}

/** Of one line, whatever the server sends: it is printed. */
function textOf(message: string | string[] | undefined): string {
  if (message === undefined || message.length === 0) return "";
  const text = decoded(String(message)).replaceAll(/\p{Cc}+/gu, " ");
  return `: ${text.length > MESSAGE_CHARS_MAX ? `${text.slice(0, MESSAGE_CHARS_MAX)}…` : text}`;
}

/** Without percent encoding; as it is where it is not encoded as it should be. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
