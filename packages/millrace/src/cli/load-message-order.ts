import { resolve } from "node:path";
import { UsageError } from "./command.ts";
import type { Flags } from "./flags.ts";
import type { TargetOrder } from "./load-target-order.ts";
import { readHeaders, type Header } from "./read-headers.ts";

/** Of every request, where its target says nothing else. */
export interface MessageOrder {
  readonly method: string | undefined;
  readonly headers: readonly Header[];
  /** Paths are absolute. */
  readonly bodyFile: string | undefined;
  readonly dataFile: string | undefined;
  readonly dataOrder: "in-turn" | "random";
  readonly batch: string | undefined;
}

/** @throws UsageError */
export function readMessage(flags: Flags, target: TargetOrder, cwd: string): MessageOrder {
  const method = flags.text("method")?.toUpperCase();
  if (method !== undefined && target.kind !== "url") {
    throw new UsageError("--method goes with a URL: a service is asked with POST, targets say it");
  }
  if (method !== undefined && !/^[A-Z]+$/.test(method)) {
    throw new UsageError(`--method: expected one such as PUT, found ${JSON.stringify(method)}`);
  }
  const file = (name: string): string | undefined => {
    const path = flags.text(name);
    return path === undefined ? undefined : resolve(cwd, path);
  };
  const bodyFile = file("body");
  const dataFile = file("data");
  const batch = flags.text("batch");
  for (const [name, given] of [["data", dataFile] as const, ["batch", batch] as const]) {
    if (given === undefined || bodyFile !== undefined || target.kind !== "url") continue;
    throw new UsageError(
      `--${name} goes with --body, a file that says where the rows belong: {"data": {{rows}}}`,
    );
  }
  const dataOrder = flags.choice("data-order", ["in-turn", "random"]) ?? "in-turn";
  const headers = readHeaders(flags.all("header"));
  return { method, headers, bodyFile, dataFile, dataOrder, batch };
}
