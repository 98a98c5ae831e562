// One front end in a process of its own: node … front-end.ts <millrace | grpc-js> <model.onnx>; prints its port.
import { Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall } from "@grpc/grpc-js";
import { loadConfig } from "../../packages/millrace/src/config/load.ts";
import { Cancellation } from "../../packages/millrace/src/core/cancellation.ts";
import { createServeRole } from "../../packages/millrace/src/main.ts";
import { modelInfer } from "../../packages/millrace/src/serve/grpc/infer-rpcs.ts";
import { FRAME_HEAD_BYTES } from "../../packages/millrace/src/serve/grpc/message-frames.ts";
import type { RpcCall } from "../../packages/millrace/src/serve/grpc/rpc.ts";
import { statusOf, toMillraceError } from "../../packages/millrace/src/serve/grpc/status.ts";
import type { ServeRole } from "../../packages/millrace/src/serve/serve-role.ts";

const PATH = "/inference.GRPCInferenceService/ModelInfer";

const [, , kind, model = ""] = process.argv;
const loaded = await loadConfig({
  input: {
    server: { httpPort: 0, grpcPort: kind === "millrace" ? 0 : "off", metricsPort: "off" },
    models: { model },
  },
  flags: [],
  env: {},
  cwd: process.cwd(),
});
if (loaded.kind !== "ok") throw new Error(JSON.stringify(loaded.problems));
const silent = (): void => undefined;
const log = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
const role = await createServeRole(loaded.config, () => log);
await role.loadModels();
const { grpcPort } = await role.listen({ isShared: false, repository: undefined });
console.log(grpcPort ?? (await listenGrpcJs(role)));

/** The same data plane and the same reading and writing of messages; only the protocol around them is grpc-js. */
function listenGrpcJs({ plane }: ServeRole): Promise<number> {
  const rpc = modelInfer(plane);
  const same = (bytes: Buffer): Buffer => bytes;
  const server = new Server();
  const method = {
    path: PATH,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: (frame: Buffer) => frame.subarray(FRAME_HEAD_BYTES),
    responseDeserialize: same,
  } as const;
  const run = async (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
    const cancellation = new Cancellation();
    call.on("cancelled", () => cancellation.cancel(new Error("the client has gone")));
    const context: RpcCall = {
      path: "",
      metadata: {},
      caller: undefined,
      receivedMs: plane.clock.nowMs(),
      timeoutMs: undefined,
      cancellation,
      predictionId: undefined,
      prediction: undefined,
      rule: undefined,
      variant: undefined,
    };
    try {
      done(null, await rpc.run(call.request, context));
    } catch (error) {
      const known = toMillraceError(error);
      done({ code: statusOf(known.code), details: known.message });
    }
  };
  server.addService(
    { ModelInfer: method },
    {
      ModelInfer: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) =>
        void run(call, done),
    },
  );
  return new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}
