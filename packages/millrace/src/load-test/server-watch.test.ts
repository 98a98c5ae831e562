import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { afterEach, expect, it } from "vitest";
import { ServerWatch } from "./server-watch.ts";

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

/** @param pages of one look after the other; the last one stays. */
async function serve(...pages: readonly string[]): Promise<string> {
  let asked = 0;
  server = createServer((_, reply) => {
    reply.end(pages[Math.min(asked++, pages.length - 1)]);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
}

/** A page on which so many requests took up to 10 ms. */
const page = (count: number): string => `# TYPE inference_request_duration_seconds histogram
inference_request_duration_seconds_bucket{service="iris",model="svc",version="1",le="0.01"} ${count}
inference_request_duration_seconds_bucket{service="iris",model="svc",version="1",le="+Inf"} ${count}
`;

async function watch(metricsUrl: string) {
  const found = new ServerWatch({ metricsUrl, service: "iris" });
  found.begin(0);
  return found.end();
}

it("ServerWatch looks when the time begins, and at its end", async () => {
  expect(await watch(await serve(page(100), page(150)))).toEqual({
    requests: 50,
    p50_ms: 5,
    p99_ms: 9.9,
    refused: {},
  });
});

it("ServerWatch says nothing of a server that was started again, is no Millrace, or is not there", async () => {
  expect(await watch(await serve(page(100), page(3)))).toBeUndefined();
  expect(await watch(await serve("up 1\n"))).toBeUndefined();
  expect(await watch("http://127.0.0.1:1/metrics")).toBeUndefined();
});

it("ServerWatch says nothing of a run that ended before it began", async () => {
  const found = new ServerWatch({ metricsUrl: await serve(page(1)), service: undefined });
  found.begin(Date.now() + 3_600_000);
  expect(await found.end()).toBeUndefined();
});
