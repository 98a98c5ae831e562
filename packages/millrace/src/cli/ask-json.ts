import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { readExactJson } from "../core/exact-json.ts";
import type { JsonValue } from "../core/json.ts";
import { tlsOptions } from "../load-test/clients/tls-options.ts";
import type { ConnectPlan, TlsPlan } from "../load-test/load-plan.ts";

/** Longest wait for an answer. */
const ANSWER_MS_MAX = 15_000;

/** A sample is a few rows; pictures may be large. */
const ANSWER_BYTES_MAX = 64 * 2 ** 20;

/** How a server is reached. */
export interface Way {
  readonly tls: TlsPlan;
  readonly connect: ConnectPlan;
}

export interface JsonAnswer {
  readonly status: number;
  /** Whole numbers beyond 2^53 are bigint; undefined where it is no JSON. */
  readonly json: JsonValue | undefined;
}

/** Asks as a load test does: with its certificates, its address, its socket. @throws what the connection throws. */
export async function askJson(
  url: URL,
  headers: Readonly<Record<string, string>>,
  { tls, connect }: Way,
): Promise<JsonAnswer> {
  const isTls = url.protocol === "https:";
  const options = {
    ...(isTls ? tlsOptions(tls)(url.hostname) : {}),
    headers,
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
    agent: false as const,
    ...(connect.localAddress === undefined ? {} : { localAddress: connect.localAddress }),
    ...(connect.unixSocket === undefined ? {} : { socketPath: connect.unixSocket }),
  };
  const request = isTls ? httpsRequest(url, options) : httpRequest(url, options);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request.once("response", resolve).once("error", reject).end();
  });
  return { status: response.statusCode ?? 0, json: readJson(await boundedText(response)) };
}

/** @throws when it is longer than what a sample may be. */
async function boundedText(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let byteCount = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    byteCount += piece.length;
    if (byteCount > ANSWER_BYTES_MAX) {
      throw new Error(`its answer has more than ${ANSWER_BYTES_MAX / 2 ** 20} MiB`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function readJson(body: string): JsonValue | undefined {
  try {
    return readExactJson(body);
  } catch {
    return undefined;
  }
}
