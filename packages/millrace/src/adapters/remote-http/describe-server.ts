import type { Clock } from "../../core/clock.ts";
import { MillraceError } from "../../core/errors.ts";
import type { RemoteOptions } from "../../ports/step-sources.ts";
import { agreeSpecs, type Declared } from "./agree-specs.ts";
import type { HttpChannel } from "./http-channel.ts";
import type { Protocol, Said, Specs } from "./protocol.ts";
import { OipProtocol } from "./protocol-oip.ts";
import { cannotLoad, type RemoteAddress } from "./remote-address.ts";
import type { RemoteClient } from "./remote-client.ts";

/** What one address of the file comes to. */
export interface RemoteServer {
  readonly address: RemoteAddress;
  readonly protocol: Protocol;
  readonly channel: HttpChannel;
  readonly client: RemoteClient;
}

type Description =
  /** `said` is undefined when it answers and does not say it. */
  | { readonly kind: "said"; readonly said: Said | undefined }
  /** It does not answer, or not as it should; `error` says how. */
  | { readonly kind: "unknown"; readonly error: MillraceError };

/** A server, and what it said. */
interface DescribedServer {
  readonly server: RemoteServer;
  readonly description: Description;
}

/** Asks a server what its model takes and gives. */
export async function describeServer(
  server: RemoteServer,
  { timeoutMs }: RemoteOptions,
  clock: Clock,
): Promise<DescribedServer> {
  try {
    const options = { clock, timeoutMs, cancellation: undefined, headers: {} };
    return { server, description: { kind: "said", said: await server.client.describe(options) } };
  } catch (error) {
    if (error instanceof MillraceError) return { server, description: { kind: "unknown", error } };
    throw error;
  }
}

/** What the first server that says something agrees on with the file, and all others with both. */
export function agreedByAll(
  name: string,
  { inputs, outputs }: RemoteOptions,
  described: readonly DescribedServer[],
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
  { server, description }: DescribedServer,
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
export function checkForm(
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
