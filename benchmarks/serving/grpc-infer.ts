import { once } from "node:events";
import { connect, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { rawBytes } from "./peers/peer.ts";
import { isClose } from "./verify-answers.ts";
import type { Case, Workload } from "./workloads.ts";

/** ModelInfer of the Open Inference Protocol. */
export const INFER_PATH = "/inference.GRPCInferenceService/ModelInfer";
const MODEL = "bench";
const CALL_MS_MAX = 10_000;

/** @returns a length-prefixed ModelInferRequest with the row as raw contents. */
export function inferMessage({ inputName, shape }: Workload, row: Case): Buffer {
  const tensor = Buffer.concat([
    field(1, Buffer.from(inputName)),
    field(2, Buffer.from("FP32")),
    field(3, Buffer.concat(shape.map(varint))),
  ]);
  const message = Buffer.concat([
    field(1, Buffer.from(MODEL)),
    field(5, tensor),
    field(7, rawBytes(row)),
  ]);
  const prefix = Buffer.alloc(5); // not compressed, then the length
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A field of wire type 2: its number, its length, its bytes. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

/**
 * Compares answers with those of Python's onnxruntime.
 * @returns the bytes of an answer's data. @throws when an answer is wrong.
 */
export async function verifyGrpc(port: number, workload: Workload): Promise<number> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined); // the stream tells
  try {
    let bytes = 0;
    for (const row of workload.cases) {
      const headers = {
        ":method": "POST",
        ":path": INFER_PATH,
        "content-type": "application/grpc",
      };
      const stream = session.request({ ...headers, te: "trailers" });
      stream.setTimeout(CALL_MS_MAX, () => stream.close());
      stream.end(inferMessage(workload, row));
      const data = await readAnswer(stream);
      if (!holdsValues(data, row.output, workload.tolerance)) {
        throw new Error(`Wrong answer over gRPC, expected ${row.output.join(", ")}`);
      }
      bytes = data.length;
    }
    return bytes;
  } finally {
    session.close();
  }
}

async function readAnswer(stream: ClientHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let status: unknown;
  stream.on("response", (headers) => (status = headers["grpc-status"]));
  stream.on("trailers", (headers: IncomingHttpHeaders) => {
    status ??= headers["grpc-status"];
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(stream, "close");
  if (String(status) !== "0") throw new Error(`gRPC status ${String(status)}`);
  return Buffer.concat(chunks);
}

/** Are these values anywhere in an answer, packed one after the other? Both ways of the protocol pack them so. */
function holdsValues(data: Buffer, expected: readonly number[], tolerance: number): boolean {
  const last = data.length - 4 * expected.length;
  for (let at = 0; at <= last; at++) {
    const found = expected.map((_, i) => data.readFloatLE(at + 4 * i));
    if (isClose(found, expected, tolerance)) return true;
  }
  return false;
}
