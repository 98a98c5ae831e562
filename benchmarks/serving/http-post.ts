import { Agent, request } from "node:http";
import type { HttpRequest } from "./peers/peer.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

const ANSWER_MS_MAX = 10_000;

/** Sends one request, on a connection of its own. @throws when the server does not answer. */
export function post(port: number, call: HttpRequest): Promise<HttpAnswer> {
  const { path, body } = call;
  const headers = { ...call.headers, "content-length": String(body.length) };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const agent = new Agent({ keepAlive: false });
    const options = { agent, port, host: "127.0.0.1", method: "POST", path, headers, signal };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** @returns the bytes of a request as they go over a keep-alive connection. */
export function requestBytes(port: number, { path, headers, body }: HttpRequest): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head =
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines.join("")}` +
    `content-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}
