import type { LoadPlan } from "../load-plan.ts";
import { GrpcClient } from "./grpc-client.ts";
import { Http1Client } from "./http1-client.ts";
import { Http2Client } from "./http2-client.ts";
import type { ClientContext, LoadClient } from "./load-client.ts";

/** @throws LoadInputError when a target cannot be asked over the protocol of the plan. */
export function createClient(plan: LoadPlan, context: ClientContext): LoadClient {
  switch (plan.protocol) {
    case "http1":
      return new Http1Client(plan, context);
    case "http2":
      return new Http2Client(plan, context);
    case "grpc":
      return new GrpcClient(plan, context);
  }
}
