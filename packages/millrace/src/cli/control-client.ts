import { join } from "node:path";
import { userInfo } from "node:os";
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
  change(method: "PUT" | "DELETE", path: string, body: object): Promise<unknown> {
    return this.#ask(method, path, { by: userInfo().username, ...body });
  }

  async #ask(method: string, path: string, body: object | undefined): Promise<unknown> {
    const response = await this.#fetch(method, path, body);
    const answer = (await response.json().catch(() => undefined)) as Problem | undefined;
    if (response.ok) return answer;
    const detail = answer?.detail ?? `${this.#url} answered with status ${response.status}`;
    throw new ControlError(detail, answer?.code);
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
      const { cause } = error as Error;
      const why = cause instanceof Error ? cause.message : (error as Error).message;
      throw new ControlError(`Cannot ask the control role at ${this.#url}: ${why}`, undefined);
    }
  }
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
}
