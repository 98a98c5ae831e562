import { MillraceProcess } from "../e2e/millrace-process.ts";
import { fixture, IRIS, Workspace } from "../e2e/workspace.ts";

/** Of `server.bodyMax`: small, so that bodies around the limit cost little. */
export const BODY_BYTES_MAX = 64 * 1024;

/** May predict and read, and may not load: an `unload` must not get through. */
export const SECRET = "fuzz-s3cret";

/** Datatypes with a model `identity-…` that the fuzzer asks. */
export const IDENTITIES = [
  "BOOL",
  "UINT8",
  "INT32",
  "INT64",
  "UINT64",
  "FP16",
  "FP32",
  "FP64",
  "BYTES",
] as const;

const FILE = `server:
  bodyMax: 64KiB
  log: { access: off }
  auth: { keys: [{ name: fuzz, secret: ${SECRET}, scopes: [infer, read] }] }
log: { redact: { INPUT: hmac, INPUT0: mask, INPUT1: { bucket: 10 }, note: mask, way: hmac } }
models:
  iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica], sample: [[5.1, 3.5, 1.4, 0.2]] }
  simple: ./simple.onnx
  simple_identity: ./simple-identity.onnx
  absent: { source: ./absent.onnx, required: false }
${IDENTITIES.map((name) => `  identity-${name.toLowerCase()}: ./identity-${name.toLowerCase()}.onnx`).join("\n")}
services:
  iris:
    default: true
    timeout: 60s
    log: { unit: body.id, attributes: { way: query.way, note: header.x-way, id: body.inputs.0.name } }
  branches: { timeout: 60s, graph: { parallel: { a: iris, b: iris, ranked: ranked } } }
  ranked: { timeout: 60s, graph: { sequence: [iris, { softmax: -1 }, { top: 2 }] } }
  chosen:
    timeout: 60s
    graph: { switch: [{ when: { any: [{ header: { x-way: b } }, { body: { id: "7" } }] }, to: iris }], default: iris }
    traffic: { rules: [{ name: odd, when: { all: [{ query: { way: { above: 1 } } }, { body: { inputs.0.name: { matches: "f*" } } }] }, to: branches }] }
  remembered:
    timeout: 60s
    graph: { sequence: [iris, { top: 3 }] }
    cache: { prediction: { ttl: 1h, entriesMax: 50, bytesMax: 64KiB } }
`;

/** A process with models that never fail, whatever their input: a 500 is a defect then. */
export class FuzzServer implements AsyncDisposable {
  readonly process: MillraceProcess;
  readonly #folder: Workspace;

  private constructor(process: MillraceProcess, folder: Workspace) {
    this.process = process;
    this.#folder = folder;
  }

  static async start(): Promise<FuzzServer> {
    const names = [
      "simple",
      "simple-identity",
      ...IDENTITIES.map((name) => `identity-${name.toLowerCase()}`),
    ];
    const folder = new Workspace({
      "millrace.yaml": FILE,
      "iris.onnx": IRIS,
      ...Object.fromEntries(names.map((name) => [`${name}.onnx`, fixture(`${name}.onnx`)])),
    });
    const ports = ["--port", "0", "--server.grpc-port", "0", "--server.metrics-port", "off"];
    const options = { cwd: folder.path, ports };
    return new FuzzServer(await MillraceProcess.start(["serve", "millrace.yaml"], options), folder);
  }

  get httpPort(): number {
    return Number(new URL(this.process.url).port);
  }

  get grpcPort(): number | undefined {
    const { grpc } = this.process.facts as { grpc?: string };
    return grpc === undefined ? undefined : Number(grpc.split(":").at(-1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
    this.#folder[Symbol.dispose]();
  }
}
