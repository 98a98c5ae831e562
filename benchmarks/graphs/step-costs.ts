import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import sharp from "sharp";
import type { Tensor } from "../../packages/millrace/src/core/tensor/tensor.ts";
import { createMillrace } from "../../packages/millrace/src/library.ts";
import { ROOT } from "../machine.ts";
import { percentilesOf, type Percentiles } from "../percentiles.ts";
import { GENERATOR_CORE, onCore } from "../serving/run-process.ts";
import type { Plan } from "./plan.ts";

/** A service of one step, called through the library, and its work done without Millrace; microseconds. */
export interface StepCostRow {
  readonly step: string;
  readonly call: Percentiles;
  /** What "by hand" is; undefined where there is nothing to compare with. */
  readonly byHandText: string | undefined;
  readonly byHand: Percentiles | undefined;
}

interface Comparison {
  readonly step: string;
  readonly call: () => Promise<unknown>;
  readonly byHand?: readonly [text: string, run: () => Promise<unknown>];
}

const PICTURE = { width: 640, height: 480 };
const SIDE = 224;
const FOUR = Float32Array.of(0.1, 0.2, 0.3, 0.4);
const JSON_BODY = '{"data":[[0.1,0.2,0.3,0.4]]}';
const CALL_MS_MAX = 10_000;

/** What does a call of a step cost that leaves the serving thread? */
export async function measureStepCosts({ stepCalls }: Plan): Promise<StepCostRow[]> {
  const standIn = await startStandIn();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const rows = { datatype: "FP32" as const, shape: [-1, 4] };
  const remote = `http://127.0.0.1:${standIn.port}`;
  const millrace = await createMillrace({
    models: {
      identity: {
        source: join(ROOT, "test/fixtures/models/identity-fp32.onnx"),
        placement: "inline",
      },
    },
    services: {
      function: { graph: { function: join(import.meta.dirname, "same-rows.ts") } },
      remote: { graph: { remote, protocol: "json", inputs: { x: rows }, outputs: { y: rows } } },
      image: { graph: { image: { width: SIDE, height: SIDE } } },
    },
  });
  try {
    const picture = await makePicture();
    const image: Tensor = {
      name: "image_data",
      datatype: "BYTES",
      shape: [1],
      data: [picture.toString("base64")],
    };
    const x: Tensor = { name: "x", datatype: "FP32", shape: [1, 4], data: FOUR };
    const identity: Tensor = { name: "INPUT", datatype: "FP32", shape: [1, 4], data: FOUR };
    const comparisons: readonly Comparison[] = [
      { step: "model that copies 4 floats", call: () => millrace.infer("identity", [identity]) },
      { step: "function that returns 4 floats", call: () => millrace.infer("function", [x]) },
      {
        step: "remote that answers at once",
        call: () => millrace.infer("remote", [x]),
        byHand: ["node:http, keep-alive", () => postJson(agent, standIn.port)],
      },
      {
        step: `image, JPEG ${PICTURE.width} × ${PICTURE.height} to ${SIDE} × ${SIDE}`,
        call: () => millrace.infer("image", [image]),
        byHand: ["sharp alone, to bytes", () => decode(picture)],
      },
    ];
    return await measureInTurn(comparisons, stepCalls);
  } finally {
    await millrace.close();
    agent.destroy();
    standIn.end();
  }
}

async function measureInTurn(
  comparisons: readonly Comparison[],
  calls: number,
): Promise<StepCostRow[]> {
  const rows: StepCostRow[] = [];
  for (const { step, call, byHand } of comparisons) {
    const callUs: number[] = [];
    const byHandUs: number[] = [];
    const warmUp = Math.ceil(calls / 5);
    for (let i = -warmUp; i < calls; i++) {
      const tookUs = await timeUs(call);
      const tookByHandUs = byHand === undefined ? undefined : await timeUs(byHand[1]);
      if (i < 0) continue;
      callUs.push(tookUs);
      if (tookByHandUs !== undefined) byHandUs.push(tookByHandUs);
    }
    rows.push({
      step,
      call: percentilesOf(callUs),
      byHandText: byHand?.[0],
      byHand: byHand === undefined ? undefined : percentilesOf(byHandUs),
    });
  }
  return rows;
}

async function timeUs(call: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await call();
  return (performance.now() - startMs) * 1000;
}

interface StandIn {
  readonly port: number;
  readonly end: () => void;
}

/** On the other core: what it takes to answer is no part of the step. */
async function startStandIn(): Promise<StandIn> {
  const entry = join(import.meta.dirname, "remote-stand-in.ts");
  const [file = "", ...words] = onCore(GENERATOR_CORE, [process.execPath, entry]);
  const child = spawn(file, words, { stdio: ["pipe", "pipe", "inherit"] });
  const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { port: Number(port), end: () => void child.kill() };
}

/** A picture with as much detail as a photograph: 60 to 100 kB as a JPEG. */
function makePicture(): Promise<Buffer> {
  const { width, height } = PICTURE;
  const pixels = Buffer.alloc(width * height * 3);
  for (let i = 0; i < pixels.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const detail = ((x * 7919) ^ (y * 104_729)) & 31;
    pixels[i] = (x / 4 + y / 5 + detail + (i % 3) * 20) & 255;
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

function decode(picture: Buffer): Promise<Buffer> {
  return sharp(picture).resize(SIDE, SIDE, { fit: "fill" }).raw().toBuffer();
}

function postJson(agent: Agent, port: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": JSON_BODY.length };
    const signal = AbortSignal.timeout(CALL_MS_MAX);
    const options = { agent, host: "127.0.0.1", port, method: "POST", path: "/", headers, signal };
    const sent = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => resolve(JSON.parse(text)));
    });
    sent.on("error", reject);
    sent.end(JSON_BODY);
  });
}
