import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

/** A span as it was received. https://github.com/open-telemetry/opentelemetry-proto, trace/v1/trace.proto */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty when a trace begins with it. */
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  /** Nanoseconds since 1970. */
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** 0 unset, 1 ok, 2 error. */
  readonly status: number;
  readonly message: string | undefined;
  readonly traceState: string | undefined;
  /** Of the program that sent it. */
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface ReceiverOptions {
  /** Waited before every answer. */
  readonly delayMs?: number;
  /** Answered to every export, 200 by default. */
  readonly status?: number;
  readonly port?: number;
}

/** The JSON form of an export, as far as it is read here. */
interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly KeyValue[];
  readonly status: { readonly code?: number; readonly message?: string };
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** A collector of spans: OTLP over HTTP, in JSON. `await using receiver = await OtlpReceiver.start();` */
export class OtlpReceiver implements AsyncDisposable {
  readonly spans: ReceivedSpan[] = [];
  /** Of every export. */
  readonly requests: { readonly url: string; readonly headers: IncomingHttpHeaders }[] = [];
  readonly #server = createServer();

  static async start(options: ReceiverOptions = {}): Promise<OtlpReceiver> {
    const receiver = new OtlpReceiver();
    const { delayMs = 0, status = 200, port = 0 } = options;
    receiver.#server.on("request", (request, response) => {
      const { url = "", headers } = request;
      void json(request).then((body) => {
        receiver.requests.push({ url, headers });
        if (status === 200) receiver.spans.push(...spansIn(body as ExportRequest));
        setTimeout(() => {
          response.writeHead(status, { "content-type": "application/json" }).end("{}");
        }, delayMs).unref();
      });
    });
    await new Promise<void>((resolve) => receiver.#server.listen(port, "127.0.0.1", resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Spans of one trace, in the order they began. */
  trace(traceId: string): ReceivedSpan[] {
    const own = this.spans.filter((span) => span.traceId === traceId);
    return own.toSorted((a, b) => Number(a.startNs - b.startNs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

function spansIn({ resourceSpans }: ExportRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? "",
        name: span.name,
        kind: span.kind,
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        attributes: valuesOf(span.attributes),
        status: span.status.code ?? 0,
        message: span.status.message,
        traceState: span.traceState,
        resource: valuesOf(resource.attributes),
      })),
    ),
  );
}

/** A value has one member, named after its type; whole numbers are numbers or texts of them. */
function valuesOf(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[type, found] = []] = Object.entries(value);
      return [key, type === "intValue" ? Number(found) : found];
    }),
  );
}
