import type { Attributes } from "../../core/rules/attributes.ts";
import { readCookie } from "../../core/rules/read-cookie.ts";
import type { RpcCall } from "./rpc.ts";

/** A call as rules see it: metadata are its headers; it has no query, and a body that is no JSON. */
export class RpcAttributes implements Attributes {
  readonly method = "POST"; // as HTTP/2 carries it
  readonly unit: string;
  readonly #call: RpcCall;

  /** @param unit what shares go by: the id of the prediction, of which a stream has many. */
  constructor(call: RpcCall, unit: string) {
    this.#call = call;
    this.unit = unit;
  }

  get path(): string {
    return this.#call.path;
  }

  get caller(): string | undefined {
    return this.#call.caller;
  }

  header(name: string): string | undefined {
    const value = this.#call.metadata[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  query(): undefined {
    return undefined;
  }

  cookie(name: string): string | undefined {
    const header = this.header("cookie");
    return header === undefined ? undefined : readCookie(header, name);
  }

  body(): undefined {
    return undefined;
  }
}
