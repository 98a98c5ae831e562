import { createHash } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import { Breaker } from "../../core/overload/breaker.ts";
import type { Logger } from "../../ports/logger.ts";
import type { RemoteOptions, SourceStep } from "../../ports/step-sources.ts";
import { agreeSpecs } from "./agree-specs.ts";
import { FailureLog } from "./failure-log.ts";
import { HttpChannel } from "./http-channel.ts";
import type { Protocol, Said, Specs } from "./protocol.ts";
import { OipProtocol } from "./protocol-oip.ts";
import { protocolOf } from "./protocol-of.ts";
import { cannotLoad, readAddress, type RemoteAddress } from "./remote-address.ts";
import { RemoteClient } from "./remote-client.ts";
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
 * Makes a step of a model on another server. The server is asked what the model takes and gives; where the file
 * declares it too, both must agree. A server that does not answer is no obstacle when the file declares everything: it
 * is asked again before the first prediction.
 * @throws MODEL_LOAD_FAILED.
 */
export async function openRemote(
  name: string,
  options: RemoteOptions,
  { clock, random, log }: RemoteParts,
): Promise<SourceStep> {
  const { timeoutMs, replyBytesMax, concurrency, labels } = options;
  const address = readAddress(name, options.url);
  const protocol = protocolOf(name, address, options);
  const headers = fixedHeaders(name, options.headers);
  const channel = new HttpChannel({ remote: name, address, concurrency });
  const client = new RemoteClient({
    remote: name,
    channel,
    protocol,
    search: address.search,
    headers,
    secrets: secretsOf(options.headers, address),
    replyBytesMax,
  });
  try {
    const description = await describe(client, options, clock);
    const specs = agreed(name, address, options, description);
    checkForm(name, protocol, description, specs);
    const breaker = new Breaker({ clock, random });
    const step = new RemoteStep({
      name,
      specs,
      labels,
      client,
      timeoutMs,
      breaker,
      failures: new FailureLog(name, clock, log),
      isDescribed: description.kind === "said",
    });
    const close = (): Promise<void> => Promise.resolve(channel.close());
    return {
      step,
      digest: digestOf(options),
      get isUp() {
        return breaker.state !== "open";
      },
      close,
    };
  } catch (error) {
    channel.close();
    throw error;
  }
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

function agreed(
  name: string,
  { text }: RemoteAddress,
  options: RemoteOptions,
  description: Description,
): Specs {
  const { inputs, outputs } = options;
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
  const { url, protocol, model, version, inputs, outputs, headers } = options;
  const facts = [url, protocol, model, version, inputs, outputs, headers];
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex");
}
