import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { decodeMessage } from "../../core/protobuf/message-type.ts";
import { ModelInferRequest } from "../../serve/grpc/inference-messages.ts";
import { LoadInputError } from "../load-input-error.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import type { Ending } from "./load-client.ts";
import { TestClientRun, testTarget } from "./test-client-run.ts";

interface Reply {
  readonly head?: OutgoingHttpHeaders;
  readonly data?: Buffer;
  readonly trailers?: OutgoingHttpHeaders;
}

const MESSAGE = Buffer.from([0, 0, 0, 0, 1, 42]);
const OK: Reply = { data: MESSAGE, trailers: { "grpc-status": "0" } };
const CALL = "/inference.GRPCInferenceService/ModelInfer";

let reply = OK;
let seen: (readonly [IncomingHttpHeaders, Buffer])[] = [];
const sessions = new Set<ServerHttp2Session>();
const server = createServer();
let url = "";
beforeAll(async () => {
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      seen.push([headers, Buffer.concat(chunks)]);
      const { head, data, trailers } = reply;
      const sent = { ":status": 200, "content-type": "application/grpc", ...head };
      if (data === undefined && trailers === undefined) {
        stream.respond(sent, { endStream: true });
        return;
      }
      stream.respond(sent, { waitForTrailers: trailers !== undefined });
      stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
      stream.end(data);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  for (const session of sessions) session.destroy();
  server.close();
});
beforeEach(() => {
  reply = OK;
  seen = [];
});

async function call(path: string, target: Partial<LoadTarget>): Promise<Ending> {
  using client = new TestClientRun({
    protocol: "grpc",
    targets: [testTarget(url + path, target)],
  });
  return await client.askOne();
}

function bytes(text: string): LoadTarget["body"] {
  return [{ kind: "bytes", bytes: Buffer.from(text) }];
}

const BODY = '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}';

describe("GrpcClient", () => {
  it("sends the message in its frame, with the headers of a call", async () => {
    const body = bytes("message");
    const headers = [
      ["Authorization", "Bearer x"],
      ["content-type", "application/json"],
    ] as const;
    expect(await call("/some.Service/Do", { body, headers })).toMatchObject({
      code: 200,
      error: "",
      bytesOut: 12,
      bytesIn: 6,
    });
    const [[head, data] = []] = seen;
    expect(head).toMatchObject({
      ":method": "POST",
      ":path": "/some.Service/Do",
      "content-type": "application/grpc",
      te: "trailers",
      authorization: "Bearer x",
    });
    expect(data?.toString("latin1")).toBe("\0\0\0\0\u0007message");
  });

  it("makes ModelInfer of the JSON body of /v2/models/{m}/infer", async () => {
    await call("/v2/models/ir%20is/versions/2/infer", { body: bytes(BODY) });
    const [[head, data] = []] = seen;
    expect(head?.[":path"]).toBe(CALL);
    expect(decodeMessage(ModelInferRequest, data?.subarray(5) ?? Buffer.alloc(0))).toMatchObject({
      model_name: "ir is",
      model_version: "2",
      inputs: [{ name: "x", datatype: "FP32", shape: [1, 2] }],
    });
  });

  it("makes a message of each start's JSON where the body is a template", async () => {
    const target = testTarget(`${url}/v2/models/iris/infer`, { body: [{ kind: "seq" }] });
    using client = new TestClientRun({ protocol: "grpc", targets: [target] }, (seq) =>
      Buffer.from(seq === 1 ? "broken" : BODY.replace("[1,2]}", `[${seq},2]}`)),
    );
    await client.ask(3);
    expect(client.endings.map(({ code, error }) => [code, error])).toEqual(
      expect.arrayContaining([
        [200, ""],
        [0, expect.stringContaining("no JSON object")],
        [200, ""],
      ]),
    );
    const raw = seen.map(([, data]) => data.readFloatLE(data.length - 8));
    expect(raw.toSorted((a, b) => a - b)).toEqual([0, 2]);
    expect(client.client.underWay).toBe(0);
  });

  it.each<[string, Partial<Ending>, Reply]>([
    [
      "the status stands in trailers",
      { code: 400, error: "400 INVALID_ARGUMENT: no such input: 5 %" },
      { trailers: { "grpc-status": "3", "grpc-message": "no such input: 5 %" } },
    ],
    [
      "there are only trailers",
      { code: 503, error: "503 UNAVAILABLE: zu viel, später" },
      { head: { "grpc-status": "14", "grpc-message": "zu viel, sp%C3%A4ter" } },
    ],
    [
      "the status has no message",
      { code: 429, error: "429 RESOURCE_EXHAUSTED" },
      { head: { "grpc-status": "8" } },
    ],
    [
      "the status is unknown",
      { code: 500, error: "500 UNKNOWN" },
      { head: { "grpc-status": "99" } },
    ],
    [
      "the message would do things to a terminal",
      { code: 404, error: "404 NOT_FOUND: a [31m b" },
      { head: { "grpc-status": "5", "grpc-message": "a%1B[31m%0D%0Ab" } },
    ],
    [
      "it is OK without a message",
      { code: 500, error: "500 INTERNAL: status OK without a message" },
      { head: { "grpc-status": "0" } },
    ],
    [
      "no gRPC server answers 200",
      { code: 500, error: "500 Internal Server Error: no grpc-status" },
      { head: { "content-type": "text/html" }, data: Buffer.from("<html>") },
    ],
    [
      "no gRPC server answers 502",
      { code: 502, error: "502 Bad Gateway: no grpc-status" },
      { head: { ":status": 502 }, data: Buffer.from("<html>") },
    ],
  ])("ended() has the HTTP status that means the same when %s", async (_what, ending, answer) => {
    reply = answer;
    expect(await call(CALL, { body: bytes("x") })).toMatchObject(ending);
  });

  it.each([
    ["/v2/models/iris/infer", "x", "the body is no JSON object"],
    ["/v2/models/iris/infer", "{}", "inputs missing"],
    [CALL, BODY, "model_name missing"],
  ])("new GrpcClient() throws a LoadInputError when %s has the body %j", (path, body, message) => {
    const targets = [testTarget(url + path, { body: bytes(body) })];
    const create = () => new TestClientRun({ protocol: "grpc", targets });
    expect(create).toThrow(LoadInputError);
    expect(create).toThrow(message);
  });
});
