import { Agent, request } from "node:http";
import { percentilesOf, type Percentiles } from "../percentiles.ts";
import { millraceServe } from "./millrace.ts";
import { ServerProcess } from "./server-process.ts";
import { BODY, PATH } from "./verify-answers.ts";

export interface StartResult {
  /** From `spawn` to the first 200 on the readiness route. */
  readonly readyMs: Percentiles;
  /** From `spawn` to the first prediction. */
  readonly predictionMs: Percentiles;
}

const READY_MS_MAX = 30_000;

/** Starts the server again and again. The first start fills the caches of disk and compiler and is not counted. */
export async function measureStart(count: number): Promise<StartResult> {
  const readyMs: number[] = [];
  const predictionMs: number[] = [];
  for (let i = 0; i <= count; i++) {
    const startMs = performance.now();
    const server = await ServerProcess.start(millraceServe());
    const agent = new Agent({ keepAlive: true });
    try {
      // The port is known only from the line the server prints, so this is an upper bound.
      while ((await send(agent, server.port, "GET", "/v2/health/ready")) !== 200) {
        if (performance.now() - startMs > READY_MS_MAX) throw new Error("It does not get ready");
      }
      const ready = performance.now() - startMs;
      const status = await send(agent, server.port, "POST", PATH);
      if (status !== 200) throw new Error(`The first prediction gave ${status}`);
      if (i === 0) continue;
      readyMs.push(ready);
      predictionMs.push(performance.now() - startMs);
    } finally {
      agent.destroy();
      await server.stop();
    }
  }
  return { readyMs: percentilesOf(readyMs), predictionMs: percentilesOf(predictionMs) };
}

function send(agent: Agent, port: number, method: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const signal = AbortSignal.timeout(10_000);
    const call = request({ agent, port, host: "127.0.0.1", method, path, headers, signal });
    call.on("response", (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    call.on("error", reject);
    call.end(method === "POST" ? BODY : undefined);
  });
}
