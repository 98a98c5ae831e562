import { Agent, request, type IncomingMessage, type RequestOptions } from "node:http";
import type { JoinedBody } from "../../core/tensor/join-binary.ts";
import type { ProgramAddress } from "./fill-placeholders.ts";

/** An answer of a program. */
export interface ProgramReply {
  readonly status: number;
  /** JSON, all of the body or its first part. */
  readonly json: Uint8Array;
  /** Raw tensors behind the JSON, at a multiple of 8 bytes in memory; undefined without the binary extension. */
  readonly binary: Uint8Array | undefined;
}

/** A program answered, but not with what can be read. */
export class ProgramReplyError extends Error {}

/** Largest answer that is read. */
const REPLY_BYTES_MAX = 512 * 1024 * 1024;

/** Largest element of a tensor: memory at a multiple of it can be read in place. */
const ALIGNMENT_BYTES = 8;

/** Speaks HTTP with one program over one connection, which stays open between requests. */
export class ProgramClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #target: RequestOptions;

  constructor(address: ProgramAddress) {
    this.#target =
      address.kind === "socket"
        ? { socketPath: address.path }
        : { host: "127.0.0.1", port: address.port };
  }

  /**
   * @param signal ends the request.
   * @throws the error of the connection; ProgramReplyError.
   */
  get(path: string, signal: AbortSignal): Promise<ProgramReply> {
    return this.#ask({ method: "GET", path, signal }, undefined);
  }

  /** @throws the error of the connection; ProgramReplyError. */
  post(path: string, { bytes, jsonBytes }: JoinedBody): Promise<ProgramReply> {
    const headers = {
      "content-type": jsonBytes === undefined ? "application/json" : "application/octet-stream",
      "content-length": typeof bytes === "string" ? Buffer.byteLength(bytes) : bytes.length,
      ...(jsonBytes === undefined ? {} : { "inference-header-content-length": jsonBytes }),
    };
    return this.#ask({ method: "POST", path, headers }, bytes);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #ask(
    options: RequestOptions,
    body: string | Uint8Array | undefined,
  ): Promise<ProgramReply> {
    try {
      return await this.#send(options, body);
    } catch (error) {
      // A program may close a connection that was idle at the moment when it is used again: it got no request.
      if (!(error instanceof IdleConnectionError)) throw error;
      return await this.#send(options, body);
    }
  }

  #send(options: RequestOptions, body: string | Uint8Array | undefined): Promise<ProgramReply> {
    return new Promise((resolve, reject) => {
      const outgoing = request({ ...this.#target, ...options, agent: this.#agent });
      outgoing.on("response", (incoming) => void readReply(incoming).then(resolve, reject));
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        const wasIdle = outgoing.reusedSocket && ["ECONNRESET", "EPIPE"].includes(error.code ?? "");
        reject(wasIdle ? new IdleConnectionError(error.message, { cause: error }) : error);
      });
      outgoing.end(body);
    });
  }
}

/** A connection that had been used before was closed before an answer began. */
class IdleConnectionError extends Error {}

async function readReply(incoming: IncomingMessage): Promise<ProgramReply> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    byteCount += chunk.length;
    if (byteCount > REPLY_BYTES_MAX) {
      incoming.destroy();
      throw new ProgramReplyError(`the answer has more than ${REPLY_BYTES_MAX} bytes`);
    }
    chunks.push(chunk);
  }
  const { statusCode: status = 0, headers } = incoming;
  const header = headers["inference-header-content-length"];
  if (header === undefined) {
    return { status, json: joined(chunks, byteCount, 0), binary: undefined };
  }
  const jsonBytes = Number(header);
  if (typeof header !== "string" || !/^\d{1,10}$/.test(header) || jsonBytes > byteCount) {
    throw new ProgramReplyError(
      `inference-header-content-length is ${JSON.stringify(header)}, the body has ${byteCount} bytes`,
    );
  }
  const body = joined(chunks, byteCount, jsonBytes);
  return { status, json: body.subarray(0, jsonBytes), binary: body.subarray(jsonBytes) };
}

/** In memory of its own, so that what is read in place keeps nothing else; what is behind `jsonBytes` lies aligned. */
function joined(chunks: readonly Buffer[], byteCount: number, jsonBytes: number): Uint8Array {
  const start = (ALIGNMENT_BYTES - (jsonBytes % ALIGNMENT_BYTES)) % ALIGNMENT_BYTES;
  const body = new Uint8Array(new ArrayBuffer(start + byteCount), start);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}
