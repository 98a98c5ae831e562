import { MillraceProcess } from "../e2e/millrace-process.ts";
import { fixture, IRIS, Workspace } from "../e2e/workspace.ts";

/** Datatypes with an `identity-…` model; BF16 is refused by the runtime. */
export const DATATYPES = [
  "BOOL",
  "UINT8",
  "UINT16",
  "UINT32",
  "UINT64",
  "INT8",
  "INT16",
  "INT32",
  "INT64",
  "FP16",
  "FP32",
  "FP64",
  "BYTES",
] as const;

const FIXTURES: Readonly<Record<string, string>> = {
  simple: "simple",
  simple_int8: "simple-int8",
  simple_string: "simple-string",
  simple_identity: "simple-identity",
  counted: "gather",
  slow: "slow",
  ...Object.fromEntries(
    DATATYPES.map((datatype) => [
      `identity-${datatype.toLowerCase()}`,
      `identity-${datatype.toLowerCase()}`,
    ]),
  ),
};

/** Names of the models that are ready. */
export const MODELS = ["iris", ...Object.keys(FIXTURES)];

const ADMIN_SECRET = "admin-s3cret";

/** A server without keys and one whose models an admin loads and unloads; both are what the clients are pointed at. */
export class ClientServers implements AsyncDisposable {
  readonly open: MillraceProcess;
  readonly locked: MillraceProcess;
  readonly #folder: Workspace;

  private constructor(folder: Workspace, open: MillraceProcess, locked: MillraceProcess) {
    this.#folder = folder;
    this.open = open;
    this.locked = locked;
  }

  static async start(): Promise<ClientServers> {
    const folder = new Workspace({
      "open.yaml": OPEN,
      "locked.yaml": LOCKED,
      "iris.onnx": IRIS,
      ...Object.fromEntries(
        Object.values(FIXTURES).map((name) => [`${name}.onnx`, fixture(`${name}.onnx`)]),
      ),
    });
    const [open, locked] = await Promise.all([
      startMillrace(folder, "open.yaml"),
      startMillrace(folder, "locked.yaml"),
    ]);
    return new ClientServers(folder, open, locked);
  }

  /** What a script reads from its standard input: addresses without a scheme, as the clients take them. */
  get description(): object {
    return { ...addresses(this.open), locked: addresses(this.locked), adminSecret: ADMIN_SECRET };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.open.stop(), this.locked.stop()]);
    this.#folder[Symbol.dispose]();
  }
}

const OPEN = `models:
  iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica] }
  absent: { source: ./absent.onnx, required: false }
${Object.entries(FIXTURES)
  .map(([name, file]) => `  ${name}: ./${file}.onnx`)
  .join("\n")}
`;

const LOCKED = `server:
  auth: { keys: [{ name: boss, secret: ${ADMIN_SECRET}, scopes: [infer, read, admin] }] }
models: { simple: ./simple.onnx }
`;

function startMillrace(folder: Workspace, file: string): Promise<MillraceProcess> {
  return MillraceProcess.start(["serve", file], {
    cwd: folder.path,
    ports: ["--port", "0", "--server.grpc-port", "0", "--server.metrics-port", "off"],
  });
}

function addresses({ facts }: MillraceProcess): { http: string; grpc: string } {
  const { grpc } = facts as { grpc?: string };
  if (grpc === undefined) throw new Error("millrace has no gRPC address");
  return { http: new URL(facts.http).host, grpc };
}
