import { Agent } from "node:http";
import { ask } from "../e2e/http-client.ts";
import { MillraceProcess } from "../e2e/millrace-process.ts";
import { IRIS, IRIS_V2, SETOSA, Workspace } from "../e2e/workspace.ts";
import { rssMib } from "./run-fuzz.ts";

export interface ReloadOptions {
  readonly reloads: number;
  readonly onProgress?: (done: number) => void;
}

export interface ReloadReport {
  readonly seconds: number;
  /** Some 20 samples: [reloads done, resident memory in MiB]. */
  readonly memory: readonly (readonly [done: number, rssMib: number])[];
  /** Predictions while the models were loaded, and those of them that did not get an answer of either model. */
  readonly requests: number;
  readonly failedRequests: number;
  /** Of the resident memory, in the second half of the run. */
  readonly growthMib: number;
}

const SECRET = "soak-s3cret";
const HEADERS = { authorization: `Bearer ${SECRET}` };

const FILE = `server:
  log: { level: warn, access: off }
  auth: { keys: [{ name: soak, secret: ${SECRET}, scopes: [infer, read, admin] }] }
models:
  iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica], reload: off }
`;

const SAMPLES = 20;

/** Replaces the file of a model and loads it, over and over, while a client asks it without a pause. */
export async function reloadMany({ reloads, onProgress }: ReloadOptions): Promise<ReloadReport> {
  using folder = new Workspace({ "millrace.yaml": FILE, "iris.onnx": IRIS });
  const ports = ["--port", "0", "--server.grpc-port", "off", "--server.metrics-port", "off"];
  const server = await MillraceProcess.start(["serve", "millrace.yaml"], {
    cwd: folder.path,
    ports,
  });
  await using _stopped = server;
  const pid = server.mainPid;
  const client = new SteadyClient(server.url);
  const memory: [number, number][] = [];
  const every = Math.max(1, Math.floor(reloads / SAMPLES));
  const startMs = performance.now();
  for (let done = 1; done <= reloads; done++) {
    folder.put("iris.onnx", done % 2 === 0 ? IRIS : IRIS_V2);
    const path = "/v2/repository/models/iris/load";
    const reply = await ask(server.url, path, { method: "POST", headers: HEADERS });
    if (reply.status !== 200) throw new Error(`Cannot load: ${reply.status} ${reply.text}`);
    if (done % every === 0) memory.push([done, rssMib(pid)]);
    onProgress?.(done);
  }
  const seconds = (performance.now() - startMs) / 1000;
  await client.stop();
  const halfway = memory[Math.floor(memory.length / 2) - 1]?.[1] ?? 0;
  const growthMib = (memory.at(-1)?.[1] ?? 0) - halfway;
  const { requests, failedRequests } = client;
  return { seconds, memory, requests, failedRequests, growthMib };
}

/** Asks one request after the other until it is stopped. */
class SteadyClient {
  requests = 0;
  failedRequests = 0;
  #isStopped = false;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #finished: Promise<void>;

  constructor(url: string) {
    this.#finished = this.#ask(url);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#finished;
    this.#agent.destroy();
  }

  async #ask(url: string): Promise<void> {
    const question = { headers: HEADERS, body: SETOSA, agent: this.#agent };
    while (!this.#isStopped) {
      const { status, text } = await ask(url, "/predict/label", question);
      this.requests++;
      if (status !== 200 || text !== '{"prediction":"setosa"}') this.failedRequests++;
    }
  }
}
