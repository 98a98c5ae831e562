import { MillraceProcess } from "../e2e/millrace-process.ts";
import { fixture, IRIS, SETOSA, Workspace } from "../e2e/workspace.ts";
import { ask } from "../e2e/http-client.ts";

/** Of `server.bodyMax`. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024;

const FILE = `server: { bodyMax: 4MiB, log: { access: off } }
models:
  iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica] }
  simple: ./simple.onnx
  text: ./simple-identity.onnx
  int64: ./identity-int64.onnx
  fp32: ./identity-fp32.onnx
  slow: ./slow.onnx
services:
  iris: { default: true }
  fp32: { timeout: 60s }
  slow: { timeout: 60s }
`;

/** A process with a few models, for tests that treat it badly. */
export class HostileServer implements AsyncDisposable {
  readonly process: MillraceProcess;
  readonly #folder: Workspace;

  private constructor(process: MillraceProcess, folder: Workspace) {
    this.process = process;
    this.#folder = folder;
  }

  static async start(): Promise<HostileServer> {
    const folder = new Workspace({
      "millrace.yaml": FILE,
      "iris.onnx": IRIS,
      "simple.onnx": fixture("simple.onnx"),
      "simple-identity.onnx": fixture("simple-identity.onnx"),
      "identity-int64.onnx": fixture("identity-int64.onnx"),
      "identity-fp32.onnx": fixture("identity-fp32.onnx"),
      "slow.onnx": fixture("slow.onnx"),
    });
    const ports = ["--port", "0", "--server.grpc-port", "off", "--server.metrics-port", "0"];
    const options = { cwd: folder.path, ports };
    return new HostileServer(
      await MillraceProcess.start(["serve", "millrace.yaml"], options),
      folder,
    );
  }

  get url(): string {
    return this.process.url;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** @throws unless a good request is answered right. */
  async expectAlive(): Promise<void> {
    const reply = await ask(this.url, "/predict/label", { body: SETOSA });
    if (reply.status === 200 && reply.text === '{"prediction":"setosa"}') return;
    throw new Error(`A good request got ${reply.status}: ${reply.text}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
    this.#folder[Symbol.dispose]();
  }
}
