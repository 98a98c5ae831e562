import { once } from "node:events";
import {
  request as httpRequest,
  Agent,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { buffer, text } from "node:stream/consumers";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Body as it came. */
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly json: unknown;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; an object as JSON. */
  readonly body?: string | Uint8Array | object;
  /** Sent one after the other, chunked. */
  readonly chunks?: Iterable<string | Uint8Array>;
  /** Absent: a connection of its own. */
  readonly agent?: Agent;
  readonly ca?: string;
}

/**
 * Sends one request as written: any method, any path, any header, where `fetch` would tidy up.
 * @throws what the socket throws.
 */
export async function ask(base: string, path: string, question: Question = {}): Promise<Answer> {
  const { body, chunks, agent = new Agent(), ca } = question;
  const { hostname, port, protocol } = new URL(base);
  const bytes =
    body === undefined || typeof body === "string" || body instanceof Uint8Array
      ? body
      : JSON.stringify(body);
  const hasBody = bytes !== undefined || chunks !== undefined;
  const options = {
    hostname,
    port,
    path,
    method: question.method ?? (hasBody ? "POST" : "GET"),
    // Node's client names no length for OPTIONS and the like, and the body would be the next request.
    headers: {
      ...(bytes === undefined ? {} : { "content-length": String(Buffer.byteLength(bytes)) }),
      ...question.headers,
    },
  };
  const request =
    protocol === "https:"
      ? httpsRequest({ ...options, agent: false, ...(ca === undefined ? {} : { ca }) })
      : httpRequest({ ...options, agent });
  const answered = new Promise<Answer>((resolve, reject) => {
    request.once("error", reject);
    request.once("response", (response) => {
      buffer(response).then((bytes) => {
        const reply = bytes.toString();
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          bytes,
          text: reply,
          json: parseOrUndefined(reply),
        });
      }, reject);
    });
  });
  for (const chunk of chunks ?? []) request.write(chunk);
  request.end(bytes);
  return answered;
}

/** A request whose head has arrived and whose body has not: it is in flight until `finish`. */
export interface OpenRequest {
  finish(): Promise<{ status: number; text: string }>;
}

/** Sends the head of a POST and waits until the server asks for the rest. */
export async function openRequest(base: string, path: string, body: object): Promise<OpenRequest> {
  const { hostname, port } = new URL(base);
  const bytes = JSON.stringify(body);
  const headers = { expect: "100-continue", "content-length": bytes.length };
  const options = { hostname, port, path, method: "POST", headers, agent: new Agent() };
  const request = httpRequest(options);
  const response = once(request, "response") as Promise<[IncomingMessage]>;
  response.catch(() => undefined); // whoever finishes the request hears of it
  await Promise.race([once(request, "continue"), response]);
  return {
    async finish() {
      request.end(bytes);
      const [reply] = await response;
      return { status: reply.statusCode ?? 0, text: await text(reply) };
    },
  };
}

/** Writes bytes to a connection of its own. @returns everything that came back until it was closed. */
export function exchange(base: string, bytes: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let reply = "";
    socket.on("data", (chunk: Buffer) => (reply += chunk.toString("latin1")));
    socket.on("close", () => resolve(reply));
    socket.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ECONNRESET" || error.code === "EPIPE" ? resolve(reply) : reject(error),
    );
    socket.write(bytes);
  });
}

/** Writes bytes and goes away without reading. */
export function hangUp(base: string, bytes: string | Uint8Array): Promise<void> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => undefined);
    socket.on("close", () => resolve());
    socket.write(bytes, () => socket.destroy());
  });
}

function parseOrUndefined(reply: string): unknown {
  try {
    return JSON.parse(reply) as unknown;
  } catch {
    return undefined;
  }
}
