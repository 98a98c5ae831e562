import type { Cancellation } from "../../core/cancellation.ts";
import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import { JsonReader } from "../../core/json-reader.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { checkStatus } from "./check-status.ts";
import type { HttpReply } from "./http-call.ts";
import type { HttpChannel } from "./http-channel.ts";
import type { Protocol, Said, Specs } from "./protocol.ts";
import { remoteFailed } from "./remote-error.ts";

/** What a server says about itself is never longer than this. */
const METADATA_BYTES_MAX = 4 * 1024 * 1024;

const NOT_IMPLEMENTED = 501;

export interface RemoteClientOptions {
  /** Name of the remote, for errors. */
  readonly remote: string;
  readonly channel: HttpChannel;
  readonly protocol: Protocol;
  /** With its "?"; goes behind the path of a prediction. */
  readonly search: string;
  /** Of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Never repeated in the log. */
  readonly secrets: readonly string[];
  readonly replyBytesMax: number;
}

/** Who asks, and for how long. */
export interface AskOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly cancellation: Cancellation | undefined;
  /** Of this request alone. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A server that is asked over a channel in the words of its protocol. */
export class RemoteClient {
  readonly #options: RemoteClientOptions;

  constructor(options: RemoteClientOptions) {
    this.#options = options;
  }

  /**
   * Asks what the model takes and gives. @returns undefined when the server, or the protocol, does not say it.
   * @throws REMOTE_FAILED, DEADLINE_EXCEEDED, OVERLOADED; the reason of the cancellation.
   */
  async describe(options: AskOptions): Promise<Said | undefined> {
    const { protocol } = this.#options;
    try {
      return await protocol.describe?.((path) => this.#askFor(path, options));
    } catch (error) {
      throw this.#readable(error);
    }
  }

  async #askFor(path: string, options: AskOptions): Promise<JsonValue | undefined> {
    const { search, headers, replyBytesMax } = this.#options;
    const reply = await this.#options.channel.ask(
      {
        method: "GET",
        path: `${path}${search}`,
        headers: { ...headers, ...options.headers },
        body: undefined,
      },
      { ...options, replyBytesMax: Math.min(METADATA_BYTES_MAX, replyBytesMax) },
    );
    if ((reply.status >= 400 && reply.status < 500) || reply.status === NOT_IMPLEMENTED) {
      return undefined;
    }
    this.#checkStatus(reply, options.clock);
    const reader = new JsonReader(reply.bytes);
    const value = reader.readValue();
    reader.end();
    return value;
  }

  /**
   * @param rows of the request; undefined when no input counts them.
   * @throws as `describe`; INVALID_TENSOR for numbers that the protocol cannot carry.
   */
  async predict(
    inputs: readonly Tensor[],
    specs: Specs,
    rows: number | undefined,
    options: AskOptions,
  ): Promise<Tensor[]> {
    const { protocol, channel, search, replyBytesMax } = this.#options;
    const { body, headers } = protocol.write(inputs, specs);
    const reply = await channel.ask(
      {
        method: "POST",
        path: `${protocol.path}${search}`,
        headers: {
          "content-type": "application/json",
          ...this.#options.headers,
          ...headers,
          ...options.headers,
          "content-length": String(Buffer.byteLength(body)),
        },
        body,
      },
      { ...options, replyBytesMax },
    );
    this.#checkStatus(reply, options.clock);
    try {
      return protocol.read(reply, specs, rows);
    } catch (error) {
      throw this.#readable(error);
    }
  }

  #checkStatus(reply: HttpReply, clock: Clock): void {
    const { remote, secrets } = this.#options;
    checkStatus(reply, { remote, secrets, wallMs: clock.wallMs() });
  }

  /** The readers' errors are about a caller's request; here the reply is what is wrong, and the remote is to blame. */
  #readable(error: unknown): unknown {
    if (!(error instanceof MillraceError) || !READING.has(error.code)) return error;
    const [problem] = error.problems;
    const where =
      problem === undefined ? "" : ` at ${problem.location.join(".")} (${problem.type})`;
    const state = `gave a reply that cannot be read${where}`;
    return remoteFailed(this.#options.remote, state, { reason: "reply", cause: error });
  }
}

const READING: ReadonlySet<string> = new Set([
  "INVALID_JSON",
  "INVALID_BODY",
  "INVALID_TENSOR",
  "NOT_IMPLEMENTED",
]);
