import { createHash } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import { Breaker } from "../../core/overload/breaker.ts";
import { LatencyWindow } from "../../core/overload/latency-window.ts";
import type { Logger } from "../../ports/logger.ts";
import type { RemoteOptions, SourceStep } from "../../ports/step-sources.ts";
import { agreeSpecs, type Declared } from "./agree-specs.ts";
import { EndpointPool } from "./endpoint-pool.ts";
import { FailureLog } from "./failure-log.ts";
import { HttpChannel } from "./http-channel.ts";
import type { Protocol, Said, Specs } from "./protocol.ts";
import { OipProtocol } from "./protocol-oip.ts";
import { protocolOf } from "./protocol-of.ts";
import { cannotLoad, readAddress, type RemoteAddress } from "./remote-address.ts";
import { RemoteClient } from "./remote-client.ts";
import { RemoteEndpoint } from "./remote-endpoint.ts";
import { RemoteStep } from "./remote-step.ts";
import { fixedHeaders } from "./request-headers.ts";

export interface RemoteParts {
  readonly clock: Clock;
  /** Numbers in [0, 1), for the breaker. */
  readonly random: () => number;
  readonly log: Logger;
}

/** Shorter values of headers and of the query may be anywhere in a text by chance; they are no secrets. */
const SECRET_LENGTH_MIN = 6;

/**
 * Makes a step of a model on another server, or on several that serve the same. Each is asked what the model takes and
 * gives; where the file declares it too, all must agree. A server that does not answer is no obstacle when the file
 * declares everything, or another one has said it: it is asked again before its first prediction.
 * @throws MODEL_LOAD_FAILED.
 */
export async function openRemote(
  name: string,
  options: RemoteOptions,
  parts: RemoteParts,
): Promise<SourceStep> {
  const { labels, ejection, hedge } = options;
  const { clock, log } = parts;
  const servers: Server[] = [];
  const close = (): void => servers.forEach(({ channel }) => channel.close());
  try {
    for (const url of options.urls) servers.push(serverOf(name, url, options));
    const described = await Promise.all(
      servers.map(async (server) => {
        return { server, description: await describe(server.client, options, clock) };
      }),
    );
    const specs = agreedByAll(name, options, described);
    const names = endpointNames(servers.map(({ address }) => address));
    const endpoints = described.map(({ server, description }, i) => {
      checkForm(name, server.protocol, description, specs);
      const endpoint = names[i] as string;
      const facts = servers.length === 1 ? { remote: name } : { remote: name, endpoint };
      return new RemoteEndpoint({
        remote: name,
        name: endpoint,
        specs,
        client: server.client,
        timeoutMs: options.timeoutMs,
        breaker: new Breaker(parts),
        failures: new FailureLog(facts, clock, log),
        isDescribed: description.kind === "said",
      });
    });
    const pool = new EndpointPool({ remote: name, endpoints, rules: ejection, clock, log });
    const latency = new LatencyWindow(clock);
    return {
      step: new RemoteStep({ name, specs, labels, pool, latency, hedge }),
      digest: digestOf(options),
      get isUp() {
        return pool.isUp;
      },
      endpoints: () => pool.status,
      close: () => Promise.resolve(close()),
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** What one address of the file comes to. */
interface Server {
  readonly address: RemoteAddress;
  readonly protocol: Protocol;
  readonly channel: HttpChannel;
  readonly client: RemoteClient;
}

function serverOf(name: string, url: string, options: RemoteOptions): Server {
  const address = readAddress(name, url);
  const protocol = protocolOf(name, address, options);
  const headers = fixedHeaders(name, options.headers);
  const channel = new HttpChannel({ remote: name, address, concurrency: options.concurrency });
  const client = new RemoteClient({
    remote: name,
    channel,
    protocol,
    search: address.search,
    headers,
    secrets: secretsOf(options.headers, address),
    replyBytesMax: options.replyBytesMax,
  });
  return { address, protocol, channel, client };
}

/** Host and port of each, with the path where that is not enough to tell them apart. */
function endpointNames(addresses: readonly RemoteAddress[]): string[] {
  const hosts = addresses.map(({ host }) => host);
  return addresses.map(({ host, path }) => {
    const isAlone = hosts.indexOf(host) === hosts.lastIndexOf(host);
    return isAlone ? host : `${host}${path}`;
  });
}

type Description =
  /** `said` is undefined when it answers and does not say it. */
  | { readonly kind: "said"; readonly said: Said | undefined }
  /** It does not answer, or not as it should; `error` says how. */
  | { readonly kind: "unknown"; readonly error: MillraceError };

async function describe(
  client: RemoteClient,
  { timeoutMs }: RemoteOptions,
  clock: Clock,
): Promise<Description> {
  try {
    const said = await client.describe({ clock, timeoutMs, cancellation: undefined, headers: {} });
    return { kind: "said", said };
  } catch (error) {
    if (error instanceof MillraceError) return { kind: "unknown", error };
    throw error;
  }
}

interface Described {
  readonly server: Server;
  readonly description: Description;
}

/** What the first server that says something agrees on with the file, and all others with both. */
function agreedByAll(
  name: string,
  { inputs, outputs }: RemoteOptions,
  described: readonly Described[],
): Specs {
  const speaking = described.filter(({ description }) => description.kind === "said");
  let declared: Declared = { inputs, outputs };
  for (const one of speaking.length === 0 ? described.slice(0, 1) : speaking) {
    declared = agreed(name, one, declared);
  }
  return declared as Specs; // it has gone through `agreed` at least once
}

function agreed(
  name: string,
  { server, description }: Described,
  { inputs, outputs }: Declared,
): Specs {
  const { text } = server.address;
  if (description.kind === "unknown" && (inputs === undefined || outputs === undefined)) {
    const { error } = description;
    const state = error.message.replace(`Cannot predict: remote "${name}" `, "");
    const missing = [
      ...(inputs === undefined ? ["inputs"] : []),
      ...(outputs === undefined ? ["outputs"] : []),
    ];
    const hint = `declare ${missing.join(" and ")} to start without it`;
    throw cannotLoad(name, `${text} ${state}; ${hint}`, error.cause);
  }
  const said = description.kind === "said" ? description.said : undefined;
  const agreement = agreeSpecs({ inputs, outputs }, said);
  if (agreement.kind === "agreed") return agreement.specs;
  throw cannotLoad(name, `${text}: ${agreement.problems.join("; ")}`);
}

/** @throws MODEL_LOAD_FAILED when a tensor has no form in which it could be sent or received. */
function checkForm(
  name: string,
  protocol: Protocol,
  { kind }: Description,
  { inputs, outputs }: Specs,
): void {
  if (protocol.isBinary || (protocol instanceof OipProtocol && kind === "unknown")) return;
  const odd = [...inputs, ...outputs].find(({ datatype }) => ["FP16", "BF16"].includes(datatype));
  if (odd === undefined) return;
  throw cannotLoad(name, `"${odd.name}" is ${odd.datatype}, which has no form in JSON`);
}

function secretsOf(headers: Readonly<Record<string, string>>, { search }: RemoteAddress): string[] {
  const values = [
    ...Object.values(headers),
    search.slice(1),
    ...new URLSearchParams(search).values(),
  ];
  const parts = values.flatMap((value) => [value, ...value.split(/[\s,;=&]+/)]);
  return parts.filter(({ length }) => length >= SECRET_LENGTH_MIN);
}

/** Of where is asked and for what; what the server would say cannot be known from here. */
function digestOf(options: RemoteOptions): string {
  const { urls, protocol, model, version, inputs, outputs, headers } = options;
  const facts = [urls, protocol, model, version, inputs, outputs, headers];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}
