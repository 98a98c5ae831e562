import { JsonReader } from "../../core/json-reader.ts";
import type { JsonValue } from "../../core/json.ts";
import type { Attributes, JsonPath } from "../../core/rules/attributes.ts";
import { readCookie } from "../../core/rules/read-cookie.ts";
import { valueAtPath } from "../../core/rules/value-at-path.ts";
import { readBody } from "./content-encoding.ts";
import type { Exchange } from "./exchange.ts";

/** A larger body is not parsed for a rule: rules look at a few members, and images come as megabytes of base64. */
const BODY_BYTES_MAX = 1_048_576;

/** A request as rules see it. What nobody asks for is not read. */
export class RequestAttributes implements Attributes {
  readonly #exchange: Exchange;
  #bytes: Uint8Array | undefined;
  #body: JsonValue | undefined;
  #isParsed = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get method(): string {
    return this.#exchange.method;
  }

  get path(): string {
    return this.#exchange.pathText;
  }

  get caller(): string | undefined {
    return this.#exchange.caller;
  }

  get unit(): string {
    return this.#exchange.predictionId ?? this.#exchange.requestId;
  }

  header(name: string): string | undefined {
    return this.#exchange.anyHeader(name);
  }

  query(name: string): string | undefined {
    return this.#exchange.query(name);
  }

  cookie(name: string): string | undefined {
    const header = this.#exchange.anyHeader("cookie");
    return header === undefined ? undefined : readCookie(header, name);
  }

  /** To be called before a rule looks at the body. @throws what `readBody` throws. */
  async decodeBody(): Promise<void> {
    this.#bytes = await readBody(this.#exchange);
  }

  body(path: JsonPath): JsonValue | undefined {
    this.#parse();
    return this.#body === undefined ? undefined : valueAtPath(this.#body, path);
  }

  #parse(): void {
    if (this.#isParsed) return;
    this.#isParsed = true;
    const bytes = this.#bytes;
    if (bytes === undefined || bytes.length > BODY_BYTES_MAX) return;
    try {
      this.#body = new JsonReader(bytes).readValue();
    } catch {
      // No JSON has no members; whoever reads the rows says what is wrong with it.
    }
  }
}
