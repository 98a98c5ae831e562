import { ERRORS, MillraceError, type ErrorCode, type Problem } from "../core/errors.ts";

/** What both ends of a channel have in common: a child process, and `process` inside one. */
export interface Channel {
  send?: ((message: object, done: (error: Error | null) => void) => boolean) | undefined;
  on(event: "message", listener: (message: unknown) => void): unknown;
  once(event: "disconnect", listener: () => void): unknown;
}

/** Methods one side offers to the other: each takes and returns plain data. */
export type Methods = Readonly<Record<string, (params: never) => Promise<unknown>>>;

interface Failure {
  readonly kind: "failure";
  readonly id: number;
  /** Of the error table, or the name of another error. */
  readonly code: string;
  readonly message: string;
  readonly problems: readonly Problem[];
}

type Message =
  | {
      readonly kind: "call";
      readonly id: number;
      readonly method: string;
      readonly params: unknown;
    }
  | { readonly kind: "result"; readonly id: number; readonly value: unknown }
  | Failure;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The other process has gone; what was asked of it has no answer. */
export class ChannelClosedError extends Error {
  constructor() {
    super("Cannot call the other process: it has ended");
    this.name = "ChannelClosedError";
  }
}

/**
 * Calls between the supervisor and its processes: each side calls the methods the other side offers, and gets
 * the result or the error. Both sides are Millrace, so messages are trusted to have their form.
 */
export class IpcPeer {
  readonly #channel: Channel;
  readonly #methods: Methods;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;

  constructor(channel: Channel, methods: Methods) {
    this.#channel = channel;
    this.#methods = methods;
    channel.on("message", (message) => void this.#receive(message as Message));
    channel.once("disconnect", () => this.#fail());
  }

  /** @throws what the method threw there, ChannelClosedError when the process ends before it answers. */
  call<Result>(method: string, params: unknown): Promise<Result> {
    const id = ++this.#lastId;
    return new Promise<Result>((resolve, reject) => {
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#send({ kind: "call", id, method, params });
    });
  }

  #send(message: Message): void {
    if (this.#channel.send === undefined) return this.#fail();
    this.#channel.send(message, (error) => {
      if (error !== null) this.#fail();
    });
  }

  #fail(): void {
    for (const { reject } of this.#pending.values()) reject(new ChannelClosedError());
    this.#pending.clear();
  }

  async #receive(message: Message): Promise<void> {
    if (message.kind === "call") {
      this.#send(await this.#answer(message.id, message.method, message.params));
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === "result") pending?.resolve(message.value);
    else pending?.reject(toError(message));
  }

  async #answer(id: number, name: string, params: unknown): Promise<Message> {
    try {
      const method = this.#methods[name];
      if (method === undefined) throw new Error(`Cannot call "${name}": there is no such method`);
      return { kind: "result", id, value: await method(params as never) };
    } catch (error) {
      const { name: kind, message } = error as Error;
      if (!(error instanceof MillraceError)) {
        return { kind: "failure", id, code: kind, message, problems: [] };
      }
      return { kind: "failure", id, code: error.code, message, problems: error.problems };
    }
  }
}

/** Errors lose their class on the way; the code brings ours back. */
function toError({ code, message, problems }: Failure): Error {
  if (Object.hasOwn(ERRORS, code)) {
    return new MillraceError(code as ErrorCode, message, { problems });
  }
  const error = new Error(message);
  error.name = code;
  return error;
}
