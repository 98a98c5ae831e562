import { join } from "node:path";
import { userName } from "../control/user-name.ts";
import { UsageError, type CommandIo, type CommandLine } from "./command.ts";
import { readRunState } from "./run-state.ts";

/** Longest wait for an answer of the control role. */
const ANSWER_MS_MAX = 15_000;

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

  /** Says who asks, for where no key does. */
  change(method: "PUT", path: string, body: object): Promise<unknown> {
    return this.#ask(method, path, { by: userName(), ...body });
  }

  async #ask(method: string, path: string, body: object | undefined): Promise<unknown> {
    const response = await this.#fetch(method, path, body);
    const answer = (await response.json().catch(() => undefined)) as Problem | undefined;
    if (response.ok) return answer;
    const detail = answer?.detail ?? `${this.#url} answered with status ${response.status}`;
    const hint = answer?.code === "UNAUTHENTICATED" ? ": --key or MILLRACE_KEY gives it" : "";
    throw new ControlError(`${detail}${hint}`, answer?.code);
  }

  async #fetch(method: string, path: string, body: object | undefined): Promise<Response> {
    try {
      return await fetch(new URL(path, this.#url), {
        method,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(this.#key === undefined ? {} : { authorization: `Bearer ${this.#key}` }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
    } catch (error) {
      throw new ControlError(
        `Cannot ask the control role at ${this.#url}: ${whyUnanswered(error as Error, method)}`,
        undefined,
      );
    }
  }
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
