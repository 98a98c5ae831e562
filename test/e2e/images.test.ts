import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  bombPng,
  grayLine,
  noise,
  pngOf,
} from "../../packages/millrace/src/adapters/image-sharp/test-images.ts";
import { ask, type Answer, type Question } from "./http-client.ts";
import { MillraceProcess, runMillrace } from "./millrace-process.ts";
import { IRIS, Workspace } from "./workspace.ts";

const FILE = `server: { bodyMax: 2MiB }
models:
  iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica], sample: [[5.1, 3.5, 1.4, 0.2]] }
services:
  pixels:
    default: true
    graph: { image: { width: 2, height: 1, channels: gray, scale: 1, layout: nhwc, bytesMax: 1MiB } }
  normal:
    graph:
      image:
        width: 1
        height: 1
        mean: [0.485, 0.456, 0.406]
        std: [0.229, 0.224, 0.225]
`;

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly location: unknown; readonly message: string }[];
}

let folder: Workspace;
let server: MillraceProcess;
let png: Buffer;

beforeAll(async () => {
  png = await pngOf(grayLine(10, 200));
  folder = new Workspace({
    "millrace.yaml": FILE,
    "iris.onnx": IRIS,
    "two.png": png,
    "two.JPG": await noise(20, 20).jpeg().toBuffer(),
    "drawing.png": "<svg/>",
  });
  server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function send(question: Question, path = "/predict"): Promise<Answer> {
  return ask(server.facts.http, path, question);
}

function typed(type: string, body: Uint8Array | string): Question {
  return { headers: { "content-type": type }, body };
}

/** A form as the platform writes it. */
async function form(...files: readonly (readonly [field: string, bytes: Uint8Array])[]) {
  const data = new FormData();
  for (const [field, bytes] of files)
    data.append(field, new Blob([new Uint8Array(bytes)]), "a.png");
  const request = new Request("http://127.0.0.1", { method: "POST", body: data });
  const type = request.headers.get("content-type") ?? "";
  return typed(type, new Uint8Array(await request.arrayBuffer()));
}

function expectProblem({ status, json }: Answer, code: string, message: RegExp): void {
  expect({ status, code: (json as Problem).code }).toEqual({
    status: code === "UNSUPPORTED_MEDIA_TYPE" ? 415 : code === "BODY_TOO_LARGE" ? 413 : 400,
    code,
  });
  expect((json as Problem).errors[0]?.message).toMatch(message);
}

describe("a picture", () => {
  it("POST /predict takes it in every form and gives the same", async () => {
    const text = png.toString("base64");
    const questions = [
      { body: { image_data: text } },
      { body: { image_data: `data:image/png;base64,${text}` } },
      { body: { image_data: [text] } },
      { body: { data: [text] } },
      { body: [text] },
      { body: { inputs: { image_data: [text] } } },
      typed("image/png", png),
      typed("image/jpeg", png), // what it is, not what it is called
      await form(["file", png]),
    ];
    for (const question of questions) {
      const { status, json } = await send(question);
      expect([status, json]).toEqual([200, { prediction: [[[10], [200]]] }]);
    }
  });

  it("POST /predict gives several for several", async () => {
    const text = png.toString("base64");
    const { json } = await send({ body: { image_data: [text, text] } });
    expect(json).toEqual({ prediction: [[[[10], [200]]], [[[10], [200]]]] });
  });

  it("POST /services/{service}/predict normalises it", async () => {
    const pixel = await pngOf({ width: 1, height: 1, pixels: [255, 128, 0] });
    const { json } = await send(typed("image/png", pixel), "/services/normal/predict");
    const { prediction } = json as { prediction: number[][][] };
    const [red, green, blue] = prediction.flat(2);
    expect(red).toBeCloseTo((1 - 0.485) / 0.229, 5);
    expect(green).toBeCloseTo((128 / 255 - 0.456) / 0.224, 5);
    expect(blue).toBeCloseTo(-0.406 / 0.225, 5);
  });

  it("POST /v2/models/{model}/infer takes it as BYTES", async () => {
    const input = {
      name: "image_data",
      datatype: "BYTES",
      shape: [1],
      data: [png.toString("base64")],
    };
    const { json } = await send({ body: { inputs: [input] } }, "/v2/models/pixels/infer");
    expect(json).toMatchObject({
      outputs: [{ name: "image", datatype: "FP32", shape: [1, 1, 2, 1], data: [10, 200] }],
    });
  });
});

describe("what is no picture", () => {
  const zip = Buffer.from("PK\x03\x04\x14\0\0\0\x08\0", "latin1");
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>';
  it.each([
    [typed("image/png", svg), /^found SVG, HTML or other XML, expected JPEG, PNG or WebP$/],
    [typed("image/jpeg", zip), /^found a ZIP file, /],
    [{ body: { image_data: "not base64!" } }, /^found text that is not base64, /],
    [{ body: { image_data: "" } }, /^found nothing, /],
    [{ body: { image_data: "http://127.0.0.1:1/cat.png" } }, /^found text that is not base64, /],
    [{ body: { image_data: ["file:///etc/passwd"] } }, /^found text that is not base64, /],
    [
      typed("image/png", bombPng(20_000, 20_000)),
      /^found 20000 × 20000 pixels, limit is 50000000$/,
    ],
    [typed("image/png", bombPng(7_000, 7_000)), /^found a damaged or cut off PNG$/],
    [
      typed("image/png", Buffer.alloc(1_100_000, "\x89PNG\r\n\x1a\n", "latin1")),
      /^found 1100000 bytes, limit is 1048576$/,
    ],
  ])("POST /predict refuses it as INVALID_IMAGE: case %#", async (question, message) => {
    const answer = await send(question);
    expectProblem(answer, "INVALID_IMAGE", message);
    expect((answer.json as Problem).errors[0]?.location).toEqual(["body", "image_data", 0]);
  });

  it("POST /predict refuses a picture that is cut off, and answers the next one", async () => {
    const jpeg = await noise(300, 300).jpeg().toBuffer();
    const cut = await send(typed("image/jpeg", jpeg.subarray(0, jpeg.length >> 1)));
    expectProblem(cut, "INVALID_IMAGE", /^found a damaged or cut off JPEG$/);
    expect((await send(typed("image/jpeg", jpeg))).status).toBe(200);
  });

  it("POST /predict refuses other bodies, saying what it takes", async () => {
    for (const type of ["image/gif", "image/svg+xml", "text/csv", "multipart/mixed; boundary=a"]) {
      const answer = await send(typed(type, png));
      expectProblem(
        answer,
        "UNSUPPORTED_MEDIA_TYPE",
        /image\/jpeg, image\/png, image\/webp or multipart/,
      );
    }
    const other = await send(typed("image/png", png), "/services/iris/predict");
    expectProblem(
      other,
      "UNSUPPORTED_MEDIA_TYPE",
      /^content-type is "image\/png", expected application\/json$/,
    );
  });

  it("POST /predict refuses a form of two files, and one that is none", async () => {
    const two = await send(await form(["first", png], ["second", png]));
    expectProblem(two, "INVALID_BODY", /^found the field "second" behind the field "first"/);
    const none = await send(typed("multipart/form-data; boundary=a", "hello"));
    expectProblem(none, "INVALID_BODY", /^it does not begin with the boundary "--a"$/);
    const without = await send(typed("multipart/form-data", png));
    expectProblem(without, "INVALID_HEADER", /boundary/);
  });

  it("POST /predict refuses a larger body than server.bodyMax", async () => {
    const answer = await send(typed("image/png", Buffer.alloc(2_100_000)));
    expect(answer.status).toBe(413);
  });

  it.runIf(process.platform === "linux")(
    "POST /predict keeps its memory under a hail of bombs",
    async () => {
      const bomb = bombPng(20_000, 20_000);
      const answers = await Promise.all(
        Array.from({ length: 100 }, () => send(typed("image/png", bomb))),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
      const status = readFileSync(`/proc/${server.mainPid}/status`, "utf8");
      const peakBytes = 1_024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]);
      expect(peakBytes).toBeLessThan(700_000_000); // one of them decoded is 1,200,000,000
    },
  );
});

it("GET /openapi.json shows every way to send a picture", async () => {
  const { json } = await ask(server.facts.http, "/openapi.json");
  const { paths } = json as {
    paths: Record<string, { post: { requestBody: { content: Record<string, unknown> } } }>;
  };
  const { content } = paths["/predict"]?.post.requestBody ?? { content: {} };
  expect(Object.keys(content)).toEqual([
    "application/json",
    "image/jpeg",
    "image/png",
    "image/webp",
    "multipart/form-data",
  ]);
  const iris = paths["/services/iris/predict"]?.post.requestBody.content;
  expect(Object.keys(iris ?? {})).toEqual(["application/json"]);
});

describe("millrace predict", () => {
  const predict = (...words: string[]) =>
    runMillrace(["predict", "--url", server.facts.http, ...words], { cwd: folder.path });

  it("millrace predict --file sends a picture as it is", async () => {
    const { code, stdout, stderr } = await predict("--file", "two.png");
    expect([code, stdout, stderr]).toEqual([0, '{"prediction":[[[10],[200]]]}\n', ""]);
    expect((await predict("pixels", "--file", "two.JPG")).code).toBe(0);
  });

  it("millrace predict --data sends an input by its name", async () => {
    const { code, stdout } = await predict(
      "--data",
      JSON.stringify({ image_data: png.toString("base64") }),
    );
    expect([code, stdout]).toEqual([0, '{"prediction":[[[10],[200]]]}\n']);
  });

  it("millrace predict prints why a picture is refused, and exits with 1", async () => {
    const { code, stderr } = await predict("--file", "drawing.png");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/found SVG, HTML or other XML/)]);
  });

  it("millrace predict exits with 2 when there is no such picture", async () => {
    const { code, stderr } = await predict("--file", "absent.png");
    expect([code, stderr]).toEqual([2, expect.stringContaining("absent.png")]);
  });
});
