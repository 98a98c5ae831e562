import { createHash } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { Breaker } from "../../core/overload/breaker.ts";
import { Ejection } from "../../core/overload/ejection.ts";
import { LatencyWindow } from "../../core/overload/latency-window.ts";
import type { Logger } from "../../ports/logger.ts";
import type { RemoteOptions, SourceStep } from "../../ports/step-sources.ts";
import { agreedByAll, checkForm, describeServer, type RemoteServer } from "./describe-server.ts";
import { EndpointPool } from "./endpoint-pool.ts";
import { FailureLog } from "./failure-log.ts";
import { HttpChannel } from "./http-channel.ts";
import { logEjections } from "./log-ejections.ts";
import { protocolOf } from "./protocol-of.ts";
import { readAddress, type RemoteAddress } from "./remote-address.ts";
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
  const { labels, hedge } = options;
  const { clock, log } = parts;
  const servers: RemoteServer[] = [];
  const close = (): void => servers.forEach(({ channel }) => channel.close());
  try {
    for (const url of options.urls) servers.push(serverOf(name, url, options));
    const described = await Promise.all(
      servers.map((server) => describeServer(server, options, clock)),
    );
    const specs = agreedByAll(name, options, described);
    const names = endpointNames(servers.map(({ address }) => address));
    const events = logEjections(name, names, log);
    const ejection = new Ejection({ clock, hosts: names.length, rules: options.ejection, events });
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
        onOutcome: (isFailed) => ejection.record(i, isFailed),
      });
    });
    const pool = new EndpointPool({ endpoints, ejection });
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

function serverOf(name: string, url: string, options: RemoteOptions): RemoteServer {
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
