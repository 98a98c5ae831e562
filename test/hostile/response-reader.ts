export interface HttpResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** Reads HTTP/1.1 responses from a connection's bytes, as many as there are; interim ones are skipped. */
export class ResponseReader {
  #text = "";

  push(chunk: Buffer): void {
    this.#text += chunk.toString("latin1");
  }

  /** Whether bytes came that are no whole response yet. */
  get isPartial(): boolean {
    return this.#text !== "";
  }

  /**
   * @param method of the request: a HEAD has no body. @returns the next response, undefined when it is not whole.
   * @throws when the bytes are no response.
   */
  next(method: string): HttpResponse | undefined {
    for (;;) {
      const end = this.#text.indexOf("\r\n\r\n");
      if (end < 0) return undefined;
      const [start = "", ...lines] = this.#text.slice(0, end).split("\r\n");
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(start)?.[1]);
      if (!(status >= 100)) throw new Error(`no status line: ${JSON.stringify(start)}`);
      const headers = new Map(lines.map(splitLine));
      const isBare = status < 200 || status === 204 || status === 304 || method === "HEAD";
      const body = isBare ? { text: "", end: end + 4 } : this.#body(headers, end + 4);
      if (body === undefined) return undefined;
      this.#text = this.#text.slice(body.end);
      if (status >= 200) return { status, headers, body: body.text };
    }
  }

  #body(
    headers: ReadonlyMap<string, string>,
    from: number,
  ): { text: string; end: number } | undefined {
    const length = headers.get("content-length");
    if (length !== undefined) {
      const end = from + Number(length);
      return this.#text.length < end ? undefined : { text: this.#text.slice(from, end), end };
    }
    if (headers.get("transfer-encoding") !== "chunked") {
      throw new Error("a response without a length");
    }
    let text = "";
    for (let at = from; ;) {
      const lineEnd = this.#text.indexOf("\r\n", at);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(this.#text.slice(at, lineEnd), 16);
      const end = lineEnd + 2 + size + 2;
      if (this.#text.length < end) return undefined;
      if (size === 0) return { text, end };
      text += this.#text.slice(lineEnd + 2, end - 2);
      at = end;
    }
  }
}

function splitLine(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}
