import { connect, type Socket } from "node:net";
import { wrongAnswer } from "./check-answer.ts";
import type { HttpCase, HttpRequest } from "./http-case.ts";
import { ResponseReader, type HttpResponse } from "./response-reader.ts";

/** How a request ended: with a status, or with the connection closed. */
export type Outcome =
  | { readonly kind: "answered"; readonly label: string }
  | { readonly kind: "closed" }
  | { readonly kind: "wrong"; readonly what: string };

/** A client that sends whatever bytes it is given, one request after the other, over a connection that it keeps. */
export class HttpPeer {
  readonly #port: number;
  readonly #patienceMs: number;
  #kept: Socket | undefined;

  constructor(port: number, patienceMs: number) {
    this.#port = port;
    this.#patienceMs = patienceMs;
  }

  async send(request: HttpCase): Promise<Outcome> {
    const isFresh = this.#kept === undefined || !request.isFramed;
    const socket = isFresh ? connect(this.#port, "127.0.0.1") : this.#kept;
    if (socket === undefined) throw new Error("No connection");
    if (request.isFramed) this.#kept = undefined;
    const { responses, end } = await this.#exchange(socket, request);
    const isOver = end !== undefined || responses.some(closesConnection) || !socket.writable;
    if (request.isFramed && !isOver) this.#kept = socket;
    else socket.destroy();
    for (const [i, response] of responses.entries()) {
      const what = wrongAnswer(request.requests[i] as HttpRequest, response);
      if (what !== undefined) return { kind: "wrong", what };
    }
    if (end === "closed" && responses.length === 0 && !isFresh) return this.send(request);
    return outcomeOf(request, responses, end);
  }

  close(): void {
    this.#kept?.destroy();
  }

  /** Sends the bytes and reads until every request is answered, or nothing more comes. */
  #exchange(
    socket: Socket,
    { bytes, requests, isFramed, cutAt }: HttpCase,
  ): Promise<{ responses: HttpResponse[]; end: string | undefined }> {
    return new Promise((resolve) => {
      const reader = new ResponseReader();
      const responses: HttpResponse[] = [];
      const settle = (end: string | undefined): void => {
        clearTimeout(timer);
        socket.removeAllListeners();
        socket.on("error", () => undefined); // a kept one may be reset at any time
        resolve({ responses, end });
      };
      const timer = setTimeout(
        () => settle(`nothing within ${this.#patienceMs} ms`),
        this.#patienceMs,
      );
      const read = (): void => {
        for (let next = requests[responses.length]; next; next = requests[responses.length]) {
          const response = reader.next(next.method);
          if (response === undefined) return;
          responses.push(response);
          // What comes behind the last answer of a connection is none; a refused HEAD may have a body there.
          if (closesConnection(response) && requests.length > 1) return settle("closed");
        }
        settle(undefined);
      };
      socket.on("data", (chunk) => {
        reader.push(chunk);
        try {
          read();
        } catch (error) {
          settle((error as Error).message);
        }
      });
      socket.on("error", () => undefined); // "close" follows
      socket.on("close", () => settle(reader.isPartial ? "closed in an answer" : "closed"));
      if (cutAt > 0) {
        socket.setNoDelay(true);
        socket.write(bytes.subarray(0, cutAt), () => finish());
      } else finish();

      function finish(): void {
        socket.write(bytes.subarray(cutAt));
        // Nothing more comes: whoever waits for the rest knows that now.
        if (!isFramed) socket.end();
      }
    });
  }
}

function closesConnection(response: HttpResponse): boolean {
  return response.headers.get("connection") === "close";
}

function outcomeOf(
  { requests, isFramed, bytes }: HttpCase,
  responses: readonly HttpResponse[],
  end: string | undefined,
): Outcome {
  const last = responses.at(-1);
  // A server may close the connection with an answer; what was sent behind is then for another one.
  const isOver = end === "closed" && last !== undefined && closesConnection(last);
  if (end !== undefined && !isOver) {
    const mayClose = !isFramed || bytes.length > CLOSED_BYTES_MIN;
    if (end === "closed" && mayClose) return { kind: "closed" };
    return {
      kind: "wrong",
      what: `${end}, after ${responses.length} of ${requests.length} answers`,
    };
  }
  if (requests.length > 1) return { kind: "answered", label: "pipelined" };
  const code = last?.headers.get("x-error-code");
  return {
    kind: "answered",
    label: `${last?.status ?? "none"}${code === undefined ? "" : ` ${code}`}`,
  };
}

/** Of a request that is refused before all of it was sent, and whose answer the reset then overtakes. */
const CLOSED_BYTES_MIN = 16 * 1024;
