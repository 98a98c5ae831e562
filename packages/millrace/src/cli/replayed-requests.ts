import type { ArrivalsPlan } from "../core/load/arrivals.ts";
import type { TlsPlan } from "../load-test/load-plan.ts";
import { UsageError, type CommandIo, type CommandLine } from "./command.ts";
import type { LoadOrder } from "./load-order.ts";
import type { LoadRequests } from "./make-load-requests.ts";

export async function replayedRequests(
  _order: LoadOrder,
  _tls: TlsPlan,
  _line: CommandLine,
  _io: CommandIo,
): Promise<LoadRequests & { readonly arrivals: ArrivalsPlan }> {
  throw new UsageError("--arrivals replay: not yet");
}
