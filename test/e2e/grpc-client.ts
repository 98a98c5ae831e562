import { join } from "node:path";
import {
  Client,
  credentials,
  Metadata,
  type CallOptions,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientOptions,
  type ClientReadableStream,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync, type MethodDefinition, type ServiceDefinition } from "@grpc/proto-loader";
import { ROOT } from "./millrace-process.ts";

/** A decoded message; members as protobufjs has them, whole numbers of 64 bits as texts. */
export type Reply = Readonly<Record<string, unknown>>;

/** A member of a message inside messages. */
export function memberOf(reply: Reply | undefined, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (value as Reply | undefined)?.[name], reply);
}

type Method = MethodDefinition<object, Reply>;

/** The options of Triton's JavaScript sample. */
const LOADER = { keepCase: true, longs: String, enums: String, defaults: true, oneofs: true };

const SERVICES: Readonly<Record<string, string>> = {
  inference: "inference.GRPCInferenceService",
  health: "grpc.health.v1.Health",
  v1: "grpc.reflection.v1.ServerReflection",
  v1alpha: "grpc.reflection.v1alpha.ServerReflection",
};

const DEFINITIONS = {
  ...loadSync(join(ROOT, "docs/inference.proto"), LOADER),
  ...loadSync(join(import.meta.dirname, "protos/health.proto"), LOADER),
  ...loadSync(join(import.meta.dirname, "protos/reflection-v1.proto"), LOADER),
  ...loadSync(join(import.meta.dirname, "protos/reflection-v1alpha.proto"), LOADER),
};

function methodOf(name: string): Method {
  const [service = "", method = ""] = name.includes("/") ? name.split("/") : ["inference", name];
  const definition = DEFINITIONS[SERVICES[service] ?? ""] as ServiceDefinition | undefined;
  const found = definition?.[method];
  if (found === undefined) throw new Error(`No method ${name} in the .proto files`);
  return found as Method;
}

export interface Answered {
  readonly reply: Reply;
  /** Metadata before the reply. */
  readonly head: Metadata;
}

export interface AskOptions extends CallOptions {
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Calls a server with the published client, over a connection of its own: `using client = …`. */
export class GrpcClient implements Disposable {
  readonly #client: Client;

  constructor(
    address: string,
    options: ClientOptions = {},
    channel: ChannelCredentials = credentials.createInsecure(),
  ) {
    const unlimited = { "grpc.max_send_message_length": -1, "grpc.max_receive_message_length": -1 };
    this.#client = new Client(address, channel, { ...unlimited, ...options });
  }

  /**
   * One message out, one back.
   * @param method `ModelInfer`, or with its service: `health/Check`.
   * @throws ServiceError
   */
  ask(method: string, message: object = {}, options: AskOptions = {}): Promise<Answered> {
    const { path, requestSerialize, responseDeserialize } = methodOf(method);
    return this.#unary(path, requestSerialize(message), { ...options, responseDeserialize });
  }

  /** As `ask`, for any path and any bytes. */
  askRaw(path: string, bytes: Buffer, options: AskOptions = {}): Promise<Answered> {
    return this.#unary(path, bytes, { ...options, responseDeserialize: (reply) => ({ reply }) });
  }

  #unary(
    path: string,
    bytes: Buffer,
    {
      responseDeserialize,
      metadata,
      ...options
    }: AskOptions & { responseDeserialize: (bytes: Buffer) => Reply },
  ): Promise<Answered> {
    return new Promise((resolve, reject) => {
      let head = new Metadata();
      const call = this.#client.makeUnaryRequest(
        path,
        (value: Buffer) => value,
        responseDeserialize,
        bytes,
        metadataOf(metadata),
        options,
        (error: ServiceError | null, reply?: Reply) => {
          if (error !== null) reject(error);
          else resolve({ reply: reply ?? {}, head });
        },
      );
      call.on("metadata", (found: Metadata) => (head = found));
    });
  }

  /** Starts a call that can be cancelled. */
  start(method: string, message: object, onEnd: (error: ServiceError | null) => void): () => void {
    const { path, requestSerialize, responseDeserialize } = methodOf(method);
    const call = this.#client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      onEnd,
    );
    return () => call.cancel();
  }

  stream(method: string, options: AskOptions = {}): ClientDuplexStream<object, Reply> {
    const { path, requestSerialize, responseDeserialize } = methodOf(method);
    const metadata = metadataOf(options.metadata);
    return this.#client.makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      metadata,
      options,
    );
  }

  watch(method: string, message: object): ClientReadableStream<Reply> {
    const { path, requestSerialize, responseDeserialize } = methodOf(method);
    return this.#client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
    );
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function metadataOf(entries: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
  return metadata;
}
