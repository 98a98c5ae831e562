import { gzipSync } from "node:zlib";
import type { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { BODY_BYTES_MAX, IDENTITIES, SECRET } from "./fuzz-server.ts";
import { http2Bytes } from "./http2-bytes.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import { nastyProtobuf, type Field } from "./nasty-protobuf.ts";

/** One call on a connection that goes on: it must get a status. */
export interface GrpcCase {
  readonly kind: "grpc";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Bytes for a connection of its own, which must be closed. */
export interface Http2Case {
  readonly kind: "http2";
  readonly bytes: Buffer;
}

type Template = readonly [method: string, message: (random: TestRandom) => Field[]];

const RAW_SHARE = 0.15;
const HEADER_SHARE = 0.15;
const BYTES_SHARE = 0.1;
const PREFIX_SHARE = 0.05;
const RATES: readonly [number, ...number[]] = [0, 0.02, 0.1, 0.3];

const SERVICE = "/inference.GRPCInferenceService";

const TEMPLATES: readonly [Template, ...Template[]] = [
  [`${SERVICE}/ModelInfer`, rawInfer],
  [`${SERVICE}/ModelInfer`, typedInfer],
  [`${SERVICE}/ModelStreamInfer`, rawInfer],
  [`${SERVICE}/ServerLive`, () => []],
  [`${SERVICE}/ServerReady`, () => []],
  [`${SERVICE}/ServerMetadata`, () => []],
  [`${SERVICE}/ModelReady`, named],
  [`${SERVICE}/ModelMetadata`, named],
  [`${SERVICE}/ModelConfig`, named],
  [`${SERVICE}/ModelStatistics`, named],
  [`${SERVICE}/RepositoryIndex`, () => [[2, 1]]],
  [`${SERVICE}/RepositoryModelLoad`, () => [[2, "iris"]]],
  [`${SERVICE}/RepositoryModelUnload`, () => [[2, "iris"]]],
  ["/grpc.health.v1.Health/Check", () => [[1, ""]]],
  ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", () => [[7, ""]]],
];

function named(random: TestRandom): Field[] {
  return [
    [1, random.pick(["iris", "branches"])],
    [2, "1"],
  ];
}

function rawInfer(random: TestRandom): Field[] {
  const columns = random.pick([0, 1, 4]);
  return [
    [1, "identity-int64"],
    [2, "1"],
    [3, "7"],
    parameter("priority", [5, 1]),
    parameter("timeout", [2, 1_000_000]),
    input("INT64", columns),
    [6, [[1, "OUTPUT"], parameter("classification", [2, 1], 2)]],
    [7, Buffer.alloc(8 * columns, 1)],
  ];
}

/** Numbers of the field of `InferTensorContents` that holds a datatype. */
const CONTENTS: Readonly<Record<string, number>> = {
  BOOL: 1,
  INT32: 2,
  INT64: 3,
  UINT8: 4,
  UINT64: 5,
  FP32: 6,
  FP64: 7,
  BYTES: 8,
};

function typedInfer(random: TestRandom): Field[] {
  const datatype = random.pick(IDENTITIES);
  const values = datatype === "BYTES" ? "text" : Buffer.alloc(datatype === "FP64" ? 8 : 4, 1);
  return [
    [1, `identity-${datatype.toLowerCase()}`],
    input(datatype, datatype.startsWith("FP") || datatype === "BYTES" ? 1 : 4, [
      [CONTENTS[datatype] ?? 6, values],
    ]),
  ];
}

function input(datatype: string, columns: number, contents?: Field[]): Field {
  const shape = Buffer.from([1, columns]);
  const fields: Field[] = [
    [1, "INPUT"],
    [2, datatype],
    [3, shape],
  ];
  if (contents !== undefined) fields.push([5, contents]);
  return [5, fields];
}

function parameter(name: string, value: Field, number = 4): Field {
  return [
    number,
    [
      [1, name],
      [2, [value]],
    ],
  ];
}

const HEADERS: readonly (readonly [name: string, values: readonly [string, ...string[]]])[] = [
  ["content-type", ["application/grpc+proto", "application/json", "application/grpc+x", ""]],
  ["grpc-timeout", ["1n", "1S", "0S", "-1S", "99999999H", "100000000S", "", "1", "S", "1.5S"]],
  ["grpc-encoding", ["gzip", "deflate", "identity", "br", "", "snappy"]],
  ["grpc-accept-encoding", ["gzip", "", "x,y"]],
  ["authorization", ["", "Bearer", "Bearer wrong", `bearer ${SECRET}`]],
  [":path", ["/", "", "*", `${SERVICE}/`, `${SERVICE}/Nope`, "/x".repeat(2_000), "/__proto__"]],
  [":method", ["GET", "PUT", "HEAD"]],
  ["te", ["gzip"]],
  ["x-bin", ["!!", "AA=="]],
  ["x-long", ["v".repeat(15_000)]],
  ["x-request-timeout", ["1ms", "x"]],
];

export function makeGrpcCase(random: TestRandom): GrpcCase | Http2Case {
  const [method, message] = random.pick(TEMPLATES);
  const headers: Record<string, string> = {
    ":method": "POST",
    ":scheme": "http",
    ":path": method,
    ":authority": "localhost",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `Bearer ${SECRET}`,
  };
  for (let share = HEADER_SHARE; random.next() < share; share /= 2) {
    const [name, values] = HEADERS[random.below(HEADERS.length)] ?? ["x", ["y"]];
    headers[name] = random.pick(values);
  }
  const count = random.below(10) === 0 ? random.pick([0, 2, 5]) : 1;
  const messages = Array.from({ length: count }, () => makeMessage(random, message, headers));
  const body = Buffer.concat(messages);
  if (random.next() < RAW_SHARE) return { kind: "http2", bytes: http2Bytes(random, headers, body) };
  return { kind: "grpc", headers, body };
}

/** One message with its prefix of five bytes. */
function makeMessage(
  random: TestRandom,
  message: Template[1],
  headers: Record<string, string>,
): Buffer {
  let bytes = nastyProtobuf(random, message(random), random.pick(RATES));
  if (random.next() < BYTES_SHARE) bytes = mutateBytes(random, bytes);
  if (random.below(300) === 0) {
    const missing = BODY_BYTES_MAX + random.pick([-1, 0, 1, 1_000]) - bytes.length;
    bytes = Buffer.concat([bytes, Buffer.alloc(Math.max(0, missing))]);
  }
  const isCompressed = random.below(20) === 0;
  if (isCompressed && headers["grpc-encoding"] === undefined) headers["grpc-encoding"] = "gzip";
  if (isCompressed && random.below(4) > 0) bytes = gzipSync(bytes);
  const prefix = Buffer.alloc(5);
  prefix[0] = isCompressed ? 1 : 0;
  prefix.writeUInt32BE(bytes.length, 1);
  const framed = Buffer.concat([prefix, bytes]);
  if (random.next() >= PREFIX_SHARE) return framed;
  framed[random.below(5)] = random.pick([0, 1, 2, 127, 255]);
  return framed;
}
