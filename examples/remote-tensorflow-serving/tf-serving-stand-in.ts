// Speaks the part of TensorFlow Serving's REST API that a client of one model needs, so that this example runs without
// it. The model is real and small: the nearest of three class means, written as a linear layer with three scores.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";

/** Means of sepal length, sepal width, petal length and petal width in Fisher's measurements, in cm. */
const MEANS = [
  [5.006, 3.428, 1.462, 0.246], // setosa
  [5.936, 2.77, 4.26, 1.326], // versicolor
  [6.588, 2.974, 5.552, 2.026], // virginica
];

/** The nearer a flower is to the mean of a class, the higher is the score: mean · x − |mean|² / 2. */
function scores(row: readonly number[]): number[] {
  return MEANS.map((mean) => dot(mean, row) - dot(mean, mean) / 2);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

function tensor(columns: number): object {
  const dim = [
    { size: "-1", name: "" },
    { size: String(columns), name: "" },
  ];
  return { dtype: "DT_FLOAT", tensor_shape: { dim, unknown_rank: false }, name: "" };
}

const METADATA = {
  model_spec: { name: "iris", signature_name: "", version: "1" },
  metadata: {
    signature_def: {
      signature_def: {
        serving_default: {
          inputs: { flower: tensor(4) },
          outputs: { scores: tensor(3) },
          method_name: "tensorflow/serving/predict",
        },
      },
    },
  },
};

const STATUS = { model_version_status: [{ version: "1", state: "AVAILABLE" }] };

function isRows(rows: unknown): rows is number[][] {
  const isRow = (row: unknown): boolean =>
    Array.isArray(row) && row.length === 4 && row.every((value) => typeof value === "number");
  return Array.isArray(rows) && rows.every(isRow);
}

/** Rows come as `instances`, or all of them as the only one of the `inputs`; the reply has the same form. */
function predict(body: unknown): [status: number, reply: object] {
  const { instances, inputs } = body as { instances?: unknown; inputs?: unknown };
  const rows = instances ?? inputs;
  if (!isRows(rows)) return [400, { error: "expected rows of four numbers" }];
  if (rows.flat().some((value) => value <= 0)) return [400, { error: "no flower is that small" }];
  return [200, { [instances === undefined ? "outputs" : "predictions"]: rows.map(scores) }];
}

async function answer(
  { method, url }: IncomingMessage,
  body: () => Promise<unknown>,
): Promise<[number, object]> {
  const path = url?.replace(/^\/v1\/models\/iris(\/versions\/1)?/, "") ?? "";
  if (method === "GET" && path === "") return [200, STATUS];
  if (method === "GET" && path === "/metadata") return [200, METADATA];
  if (method === "POST" && path === ":predict") return predict(await body());
  return [404, { error: `nothing is served at ${url ?? ""}` }];
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [status, reply] = await answer(request, () => json(request));
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(reply));
}

const port = Number(process.env["TF_PORT"] ?? 8501);
const server = createServer((request, response) => {
  respond(request, response).catch(() => response.writeHead(400).end('{"error":"no JSON"}'));
});
server.listen(port, "127.0.0.1", () => console.log("serves the model iris"));
