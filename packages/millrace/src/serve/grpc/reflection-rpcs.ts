import {
  choice,
  decodeMessage,
  encodeMessage,
  many,
  message,
  one,
  type Message,
} from "../../core/protobuf/message-type.ts";
import { fileDescriptor } from "./file-descriptor.ts";
import { frameOf } from "./message-frames.ts";
import type { Rpc } from "./rpc.ts";
import type { ServiceDescription } from "./service-description.ts";
import { STATUS } from "./status.ts";

const Request = message("ServerReflectionRequest", {
  host: one(1, "string"),
  file_by_filename: choice("message_request", 3, "string"),
  file_containing_symbol: choice("message_request", 4, "string"),
  file_containing_extension: choice(
    "message_request",
    5,
    message("ExtensionRequest", {
      containing_type: one(1, "string"),
      extension_number: one(2, "int32"),
    }),
  ),
  all_extension_numbers_of_type: choice("message_request", 6, "string"),
  list_services: choice("message_request", 7, "string"),
});
const Response = message("ServerReflectionResponse", {
  valid_host: one(1, "string"),
  original_request: one(2, Request),
  file_descriptor_response: choice(
    "message_response",
    4,
    message("FileDescriptorResponse", { file_descriptor_proto: many(1, "bytes") }),
  ),
  all_extension_numbers_response: choice(
    "message_response",
    5,
    message("ExtensionNumberResponse", {
      base_type_name: one(1, "string"),
      extension_number: many(2, "int32"),
    }),
  ),
  list_services_response: choice(
    "message_response",
    6,
    message("ListServiceResponse", {
      service: many(1, message("ServiceResponse", { name: one(1, "string") })),
    }),
  ),
  error_response: choice(
    "message_response",
    7,
    message("ErrorResponse", { error_code: one(1, "int32"), error_message: one(2, "string") }),
  ),
});

const METHODS = {
  ServerReflectionInfo: {
    request: Request,
    response: Response,
    takesStream: true,
    repliesStream: true,
  },
};

/** The reflection service under both of its names; old tools know only the second. */
export const REFLECTION_SERVICES: readonly ServiceDescription[] = ["v1", "v1alpha"].map(
  (version) => ({
    name: `grpc.reflection.${version}.ServerReflection`,
    file: `grpc/reflection/${version}/reflection.proto`,
    methods: METHODS,
  }),
);

/**
 * Tells tools such as grpcurl which services and messages there are, so that they need no .proto file.
 * https://github.com/grpc/grpc/blob/master/doc/server-reflection.md
 */
export function reflectionRpc(services: readonly ServiceDescription[]): Rpc {
  const files = services.map(fileDescriptor);
  const fileWith = (isWanted: (file: (typeof files)[number]) => boolean): Message => {
    const file = files.find(isWanted);
    if (file === undefined) return notFound("there is no such file and no such symbol");
    return { file_descriptor_response: { file_descriptor_proto: [file.bytes] } };
  };
  const answer = (request: Message): Message => {
    const { file_by_filename: name, file_containing_symbol: symbol } = request;
    if (request["list_services"] !== undefined) {
      const service = services.map((known) => ({ name: known.name }));
      return { list_services_response: { service } };
    }
    if (typeof name === "string") return fileWith((file) => file.name === name);
    if (typeof symbol === "string") return fileWith((file) => file.symbols.has(symbol));
    return notFound("there are no extensions");
  };
  return {
    kind: "stream",
    scope: "read",
    run(bytes) {
      const request = decodeMessage(Request, bytes);
      const reply = { valid_host: request["host"], original_request: request, ...answer(request) };
      return Promise.resolve(frameOf(encodeMessage(Response, reply)));
    },
  };
}

function notFound(reason: string): Message {
  return {
    error_response: { error_code: STATUS.NOT_FOUND, error_message: `Cannot look up: ${reason}` },
  };
}
