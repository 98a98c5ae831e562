import type { LoadPlan } from "../load-plan.ts";
import { GRPC } from "./grpc-dialect.ts";
import { Http2Client } from "./http2-client.ts";
import type { ClientContext } from "./load-client.ts";

/**
 * Makes unary gRPC calls: each request is one message. Bodies are messages of protobuf, or JSON of the Open
 * Inference Protocol where the method is its ModelInfer.
 */
export class GrpcClient extends Http2Client {
  /** @throws LoadInputError for a target or a certificate that cannot be used. */
  constructor(plan: LoadPlan, context: ClientContext) {
    super(plan, context, GRPC);
  }
}
