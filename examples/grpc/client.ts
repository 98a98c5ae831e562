import { credentials, loadPackageDefinition, Metadata } from "@grpc/grpc-js";
import type { Client, ServiceError } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const [address = "localhost:8001", proto = "docs/inference.proto"] = process.argv.slice(2);

interface Tensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

interface InferRequest {
  readonly modelName: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly { readonly name: string }[];
  /** The elements of the inputs, little-endian, one buffer per input. */
  readonly rawInputContents: readonly Uint8Array[];
}

interface InferResponse {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly outputs: readonly Tensor[];
  readonly rawOutputContents: readonly Buffer[];
}

/** What @grpc/grpc-js makes from the file, as far as this program uses it. */
interface InferenceClient extends Client {
  modelInfer(
    request: InferRequest,
    metadata: Metadata,
    options: { readonly deadline: number },
    done: (error: ServiceError | null, response?: InferResponse) => void,
  ): void;
}

interface InferencePackage {
  readonly inference: {
    readonly GRPCInferenceService: new (
      address: string,
      security: ReturnType<typeof credentials.createInsecure>,
    ) => InferenceClient;
  };
}

const definition = loadPackageDefinition(loadSync(proto, { longs: Number }));
const { inference } = definition as unknown as InferencePackage;
const client = new inference.GRPCInferenceService(address, credentials.createInsecure());

const flower = Float32Array.of(5.1, 3.5, 1.4, 0.2);

const { modelName, modelVersion, outputs, rawOutputContents } = await infer("iris", flower);
const [output] = outputs;
console.log(modelName, modelVersion, output?.name, output?.datatype, output?.shape);
console.log(floatsOf(rawOutputContents[0] as Buffer));

for (const [model, values] of [
  ["rose", flower],
  ["iris", flower.subarray(1)],
] as const) {
  const error = await infer(model, values).catch((reason: unknown) => reason as ServiceError);
  if (!("code" in error)) continue;
  console.log(error.code, error.metadata.get("x-error-code")[0], error.details);
}
client.close();

/** One row. @throws ServiceError. */
function infer(modelName: string, row: Float32Array): Promise<InferResponse> {
  const request: InferRequest = {
    modelName,
    inputs: [{ name: "float_input", datatype: "FP32", shape: [1, 4] }],
    outputs: [{ name: "probabilities" }],
    rawInputContents: [new Uint8Array(row.buffer, row.byteOffset, row.byteLength)],
  };
  const options = { deadline: Date.now() + 5000 };
  return new Promise((resolve, reject) => {
    client.modelInfer(request, new Metadata(), options, (error, response) => {
      if (response === undefined) reject(error as ServiceError);
      else resolve(response);
    });
  });
}

/** A copy, since the bytes may begin anywhere in the message. */
function floatsOf(bytes: Buffer): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
