import type { IncomingHttpHeaders } from "node:http2";
import type { Cancellation } from "../../core/cancellation.ts";
import type { RouteScope } from "../auth.ts";
import type { Prediction } from "../prediction.ts";

/** One call of a method, as its handler sees it. */
export interface RpcCall {
  /** `/inference.GRPCInferenceService/ModelInfer` */
  readonly path: string;
  readonly metadata: IncomingHttpHeaders;
  /** Name of the API key that was shown; undefined when none was needed. */
  readonly caller: string | undefined;
  /** When the call came, on `clock.nowMs`. */
  readonly receivedMs: number;
  /** Milliseconds from `receivedMs` that the client allows; undefined sets no limit. */
  readonly timeoutMs: number | undefined;
  /** Cancelled when the client has gone or cancelled, or, in a stream, when its time is over. */
  readonly cancellation: Cancellation;
  /** Set by calls that predict: in the trailers and the log from then on. */
  predictionId: string | undefined;
  /** Set when the prediction was made. */
  prediction: Prediction | undefined;
  /** Rule that chose the model. */
  rule: string | undefined;
  /** Arm of the service's experiment: in the head of the reply to a unary call. */
  variant: string | undefined;
}

/** One message in, one out. */
export interface UnaryRpc {
  readonly kind: "unary";
  readonly scope: RouteScope;
  /** @returns the reply as a frame. */
  run(message: Buffer, call: RpcCall): Buffer | Promise<Buffer>;
}

/**
 * Several messages in, several out. Each message is answered on its own; what `run` throws ends the call. The
 * answers keep the order of the messages, whichever is ready first.
 */
export interface StreamRpc {
  readonly kind: "stream";
  readonly scope: RouteScope;
  /** @returns the reply to one message, as a frame. */
  run(message: Buffer, call: RpcCall): Promise<Buffer>;
}

/** One message in, several out, until `call.cancellation` says that the client has gone. */
export interface WatchRpc {
  readonly kind: "watch";
  readonly scope: RouteScope;
  /** @param send takes a frame. It returns when the answers are at their end. */
  run(message: Buffer, call: RpcCall, send: (frame: Buffer) => void): Promise<void>;
}

export type Rpc = UnaryRpc | StreamRpc | WatchRpc;

/** Methods by path: `/inference.GRPCInferenceService/ServerLive`. */
export type RpcTable = ReadonlyMap<string, Rpc>;
