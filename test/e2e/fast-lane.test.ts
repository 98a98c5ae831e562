import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MillraceProcess } from "./millrace-process.ts";
import { fixture, IRIS, SETOSA, Workspace } from "./workspace.ts";

const FILE = `
models:
  iris:
    source: ./iris.onnx
    labels: [setosa, versicolor, virginica]
  text: ./identity-bytes.onnx
  fp32: ./identity-fp32.onnx
  fp16: ./identity-fp16.onnx
  absent: { source: ./absent.onnx, required: false }
services:
  iris: { default: true }
server:
  bodyMax: 64KiB
`;

let folder: Workspace;
let server: MillraceProcess;
beforeAll(async () => {
  folder = new Workspace({
    "millrace.yaml": FILE,
    "iris.onnx": IRIS,
    "identity-bytes.onnx": fixture("identity-bytes.onnx"),
    "identity-fp32.onnx": fixture("identity-fp32.onnx"),
    "identity-fp16.onnx": fixture("identity-fp16.onnx"),
  });
  server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

interface Reply {
  readonly status: number;
  /** As written: the lane writes names in lower case, Node's server its own with capitals. */
  readonly lines: readonly string[];
  readonly body: Buffer;
}

/** Reads one reply of known length. */
async function readReply(socket: Socket): Promise<Reply> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const [chunk] = (await once(socket, "data")) as [Buffer];
    bytes = Buffer.concat([bytes, chunk]);
    const headEnd = bytes.indexOf("\r\n\r\n");
    if (headEnd < 0) continue;
    const [first = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(bytes.toString("latin1"))?.[1]);
    if (bytes.length < headEnd + 4 + length) continue;
    return { status: Number(first.split(" ")[1]), lines, body: bytes.subarray(headEnd + 4) };
  }
}

async function send(...parts: readonly (string | Uint8Array)[]): Promise<Reply> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  const reply = readReply(socket);
  socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
  const read = await reply;
  socket.destroy();
  return read;
}

function isFromLane({ lines }: Reply): boolean {
  return lines.some((line) => line.startsWith("date: "));
}

/** What differs from one request to the next. */
const OWN = /^(date|x-prediction-id|server-timing)$/;

/** Headers that must be equal, by name in lower case, and of the others only that they are there. */
function headersOf({ lines }: Reply): object {
  const headers = lines.map((line) => {
    const [name = "", value = ""] = line.split(/: (.*)/s);
    const known = name.toLowerCase();
    return [known, OWN.test(known) ? "…" : value] as const;
  });
  return Object.fromEntries(headers.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function bodyOf({ body }: Reply): string {
  return body.toString("latin1").replaceAll(/("prediction_id":)"[^"]+"/g, '$1"…"');
}

interface Case {
  readonly name: string;
  readonly path: string;
  readonly body: string | Uint8Array;
  readonly lines?: readonly string[];
}

const ROWS = JSON.stringify({ data: SETOSA });
const BINARY_JSON =
  '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}],' +
  '"parameters":{"binary_data_output":true}}';

const CASES: readonly Case[] = [
  { name: "one row", path: "/predict", body: ROWS },
  { name: "a bare array", path: "/services/iris/predict", body: JSON.stringify(SETOSA) },
  { name: "many rows", path: "/predict", body: JSON.stringify([...SETOSA, ...SETOSA]) },
  { name: "a label", path: "/predict/label", body: ROWS },
  { name: "a service's label", path: "/services/iris/predict/label", body: ROWS },
  { name: "text beyond ASCII", path: "/services/text/predict", body: '{"data":[["é","日","😀"]]}' },
  {
    name: "the inference protocol",
    path: "/v2/models/iris/infer",
    body: '{"id":"a","inputs":[{"name":"float_input","shape":[1,4],"datatype":"FP32","data":[5.1,3.5,1.4,0.2]}]}',
  },
  {
    name: "a version",
    path: "/v2/models/iris/versions/1/infer",
    body: '{"inputs":[{"name":"float_input","shape":[1,4],"datatype":"FP32","data":[5.1,3.5,1.4,0.2]}]}',
  },
  {
    name: "binary tensors",
    path: "/v2/models/fp32/infer",
    body: Buffer.concat([Buffer.from(BINARY_JSON), Buffer.from([0, 0, 128, 63, 0, 0, 192, 127])]),
    lines: [`inference-header-content-length: ${BINARY_JSON.length}`],
  },
  {
    name: "a compressed body",
    path: "/predict",
    body: gzipSync(ROWS),
    lines: ["content-encoding: gzip"],
  },
  { name: "an unknown coding", path: "/predict", body: ROWS, lines: ["content-encoding: br"] },
  { name: "a damaged coding", path: "/predict", body: ROWS, lines: ["content-encoding: gzip"] },
  {
    name: "a compressed reply",
    path: "/predict",
    body: JSON.stringify(new Array(50).fill(SETOSA[0])),
    lines: ["accept-encoding: gzip"],
  },
  { name: "a deadline", path: "/predict", body: ROWS, lines: ["x-request-timeout: 10s"] },
  { name: "a wrong deadline", path: "/predict", body: ROWS, lines: ["x-request-timeout: soon"] },
  { name: "a job", path: "/predict", body: ROWS, lines: ["prefer: respond-async"] },
  { name: "broken JSON", path: "/predict", body: '{"data": [[1, 2, 3,' },
  { name: "a wrong shape", path: "/predict", body: '{"data": [[1, 2, 3]]}' },
  { name: "a wrong tensor", path: "/v2/models/iris/infer", body: '{"inputs":[{"name":"y"}]}' },
  { name: "an unknown service", path: "/services/nobody/predict", body: ROWS },
  { name: "an unknown model", path: "/v2/models/nobody/infer", body: ROWS },
  { name: "an unknown version", path: "/v2/models/iris/versions/9/infer", body: ROWS },
  { name: "no version", path: "/v2/models/iris/versions/v1/infer", body: ROWS },
  { name: "a model that is not ready", path: "/services/absent/predict", body: ROWS },
  { name: "a reply without a JSON form", path: "/services/fp16/predict", body: '{"data":[[1]]}' },
];

const MEDIA_TYPES: readonly Case[] = [
  "application/json",
  "application/json; charset=utf-8",
  "application/octet-stream",
  "application/x-www-form-urlencoded",
].map((type) => ({
  name: type,
  path: "/predict",
  body: ROWS,
  lines: [`content-type: ${type}`],
}));

function head(path: string, lines: readonly string[], bodyBytes: number): string {
  const all = [`POST ${path} HTTP/1.1`, "Host: a", "x-request-id: r-1", ...lines];
  return `${all.join("\r\n")}\r\ncontent-length: ${bodyBytes}\r\n\r\n`;
}

describe("fast lane", () => {
  it.each([...CASES, ...MEDIA_TYPES])(
    "fast lane and Fastify give the same reply for $name",
    async ({ path, body, lines = [] }) => {
      const bodyBytes = Buffer.byteLength(body);
      const lane = await send(head(path, lines, bodyBytes), body);
      // Two spaces mean the same as one, and are not plain.
      const fastify = await send(head(path, [...lines, "x-odd:  1"], bodyBytes), body);
      expect([isFromLane(lane), isFromLane(fastify)]).toEqual([true, false]);
      expect(lane.status).toBe(fastify.status);
      expect(bodyOf(lane)).toBe(bodyOf(fastify));
      expect(headersOf(lane)).toEqual(headersOf(fastify));
    },
  );

  it("fast lane leaves a body above server.bodyMax, and a body whose type is none of JSON's", async () => {
    const large = "x".repeat(64 * 1024 + 1);
    const refused = await send(head("/predict", [], large.length), large);
    expect([refused.status, isFromLane(refused)]).toEqual([413, false]);
    const image = await send(head("/predict", ["content-type: image/png"], 1), "x");
    expect([image.status, isFromLane(image)]).toEqual([415, false]);
  });

  it("fast lane leaves it to Fastify to miss a host, and to pay no heed to an expectation", async () => {
    const request = head("/predict/label", [], ROWS.length) + ROWS;
    const hostless = await send(request.replace("Host: a\r\n", ""));
    expect([hostless.status, isFromLane(hostless)]).toEqual([400, false]);
    expect(bodyOf(hostless)).toContain('"code":"MALFORMED_REQUEST"');
    const expecting = await send(request.replace("Host: a", "Host: a\r\nExpect: wonders"));
    expect([expecting.status, isFromLane(expecting)]).toEqual([200, false]);
  });

  it("fast lane gives the right answer wherever the request is split", async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect({ port: Number(port), host: hostname, noDelay: true });
    await once(socket, "connect");
    const request = head("/predict/label", [], ROWS.length) + ROWS;
    for (let at = 1; at < request.length; at += 7) {
      const reply = readReply(socket);
      await new Promise((resolve) => socket.write(request.slice(0, at), resolve));
      socket.write(request.slice(at));
      const { body } = await reply;
      expect(`${at}: ${body.toString()}`).toBe(`${at}: {"prediction":"setosa"}`);
    }
    socket.destroy();
  });
});

describe("fast lane with keys", () => {
  it("fast lane serves known keys and answers others as Fastify does", async () => {
    using keyed = new Workspace({
      "millrace.yaml": `
models: { iris: ./iris.onnx }
server:
  auth:
    keys:
      - { name: app, secret: ${"k".repeat(20)}, scopes: [infer] }
      - { name: viewer, secret: ${"v".repeat(20)}, scopes: [read] }
`,
      "iris.onnx": IRIS,
    });
    await using guarded = await MillraceProcess.start(["serve", "millrace.yaml"], {
      cwd: keyed.path,
    });
    const { hostname, port } = new URL(guarded.url);
    const ask = async (lines: readonly string[]): Promise<Reply> => {
      const socket = connect(Number(port), hostname);
      const reply = readReply(socket);
      socket.write(head("/predict", lines, ROWS.length) + ROWS);
      const read = await reply;
      socket.destroy();
      return read;
    };
    const known = await ask([`authorization: Bearer ${"k".repeat(20)}`]);
    expect([known.status, isFromLane(known)]).toEqual([200, true]);
    const others = [[], ["authorization: Bearer x"], [`authorization: Bearer ${"v".repeat(20)}`]];
    const replies = await Promise.all(others.map(ask));
    expect(replies.map(({ status }) => status)).toEqual([401, 401, 403]);
    expect(replies.some(isFromLane)).toBe(false);
  });
});
