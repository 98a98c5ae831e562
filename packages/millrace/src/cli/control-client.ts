import { join } from "node:path";
import { readExactJson } from "../core/exact-json.ts";
import { userName } from "../control/user-name.ts";
import { UsageError, type CommandIo, type CommandLine } from "./command.ts";
import { readRunState } from "./run-state.ts";

/** Longest wait for an answer of the control role. */
const ANSWER_MS_MAX = 15_000;

const FORGET_MS_MAX = 15 * 60_000;

/** Options of every command that asks the control role. */
export const CONTROL_OPTIONS = {
  "url=URL":
    "control role to ask; default: the one that runs in this folder, else http://127.0.0.1:8080",
  "key=KEY": "secret of an API key; default: $MILLRACE_KEY",
} as const;

/** The control role refused, or did not answer; the message is for the person at the terminal. */
export class ControlError extends Error {
  /** Of the error table; undefined when nobody answered. */
  readonly code: string | undefined;

  constructor(message: string, code: string | undefined) {
    super(message);
    this.name = "ControlError";
    this.code = code;
  }
}

/** Asks the control role of a running Millrace. */
export class ControlClient {
  readonly #url: string;
  readonly #key: string | undefined;

  private constructor(url: string, key: string | undefined) {
    this.#url = url;
    this.#key = key;
  }

  /** @throws UsageError when `--url` is no address. */
  static async find({ options }: CommandLine, io: CommandIo): Promise<ControlClient> {
    const running = await readRunState(join(io.cwd, ".millrace"));
    const url = options.get("url") ?? running?.controlUrl ?? "http://127.0.0.1:8080";
    if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
      throw new UsageError(`--url: expected http://host:port, found ${JSON.stringify(url)}`);
    }
    return new ControlClient(url, options.get("key") ?? io.env["MILLRACE_KEY"]);
  }

  get(path: string): Promise<unknown> {
    return this.#ask("GET", path, undefined);
  }

  /** Whole numbers beyond 2^53 are bigint. */
  getExact(path: string): Promise<unknown> {
    return this.#ask("GET", path, undefined, readExactJson);
  }

  /** Says who asks, for where no key does. */
  change(method: "PUT" | "POST", path: string, body: object): Promise<unknown> {
    return this.#ask(method, path, { by: userName(), ...body });
  }

  /** Takes a unit out of the prediction log, which may go through every file. */
  async forget(body: object): Promise<unknown> {
    const waiting = { accept: undefined, signal: AbortSignal.timeout(FORGET_MS_MAX) };
    const named = { by: userName(), ...body };
    const response = await this.#fetch("POST", "/api/v1/log/forget", named, waiting);
    const answer = (await response.json().catch(() => undefined)) as Problem | undefined;
    if (response.ok) return answer;
    throw this.#refusal(response, answer);
  }

  /**
   * Runs a query, and waits for it as long as the control role lets it run.
   * @param accept media type of the answer.
   * @throws ControlError when it is refused; the reason of `signal`.
   */
  async query(body: object, accept: string, signal: AbortSignal | undefined): Promise<Response> {
    const waiting = { accept, signal: signal ?? null };
    const response = await this.#fetch("POST", "/api/v1/query", body, waiting);
    if (response.ok) return response;
    throw this.#refusal(response, (await response.json().catch(() => undefined)) as Problem);
  }

  async #ask(
    method: string,
    path: string,
    body: object | undefined,
    read: (text: string) => unknown = JSON.parse,
  ): Promise<unknown> {
    const response = await this.#fetch(method, path, body);
    const answer = await response
      .text()
      .then((text) => read(text) as Problem | undefined)
      .catch(() => undefined);
    if (response.ok) return answer;
    throw this.#refusal(response, answer);
  }

  #refusal({ status }: Response, answer: Problem | undefined): ControlError {
    const detail = answer?.detail ?? `${this.#url} answered with status ${status}`;
    const hint = answer?.code === "UNAUTHENTICATED" ? ": --key or MILLRACE_KEY gives it" : "";
    return new ControlError(`${detail}${hint}`, answer?.code);
  }

  async #fetch(
    method: string,
    path: string,
    body: object | undefined,
    { accept, signal }: Waiting = { accept: undefined, signal: AbortSignal.timeout(ANSWER_MS_MAX) },
  ): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#url), {
        method,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(accept === undefined ? {} : { accept }),
          ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal,
      });
    } catch (error) {
      if (accept !== undefined) signal?.throwIfAborted();
      throw new ControlError(
        `Cannot ask the control role at ${this.#url}: ${whyUnanswered(error as Error, method)}`,
        undefined,
      );
    }
  }
}

interface Waiting {
  readonly accept: string | undefined;
  readonly signal: AbortSignal | null;
}

/** With what to do about it. */
function whyUnanswered({ name, message, cause }: Error, method: string): string {
  if (name === "TimeoutError") {
    const after = `no answer in ${ANSWER_MS_MAX} ms`;
    return method === "GET" ? after : `${after}; it may still happen, millrace get shows it`;
  }
  const why = cause instanceof Error ? cause.message : message;
  return `${why}; run it in the folder of the millrace.yaml that is served, or give --url`;
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
}
