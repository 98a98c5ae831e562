import { resolve } from "node:path";
import { UsageError, type CommandLine } from "./command.ts";
import type { Flags } from "./flags.ts";

/** What requests go to. */
export type TargetOrder =
  /** A service of a running Millrace. */
  | {
      readonly kind: "service";
      readonly name: string;
      /** Of the Millrace; undefined is the one that runs in this folder. */
      readonly url: string | undefined;
      readonly grpcUrl: string | undefined;
    }
  | { readonly kind: "url"; readonly url: string }
  /** Requests in a file of vegeta's. */
  | {
      readonly kind: "targets";
      /** Absolute; undefined is the standard input. */
      readonly file: string | undefined;
      readonly format: "http" | "json";
    };

/** @throws UsageError */
export function readTargetOrder(
  { positionals }: CommandLine,
  flags: Flags,
  cwd: string,
): TargetOrder {
  const [word, extra] = positionals;
  const targets = flags.text("targets");
  const format = flags.choice("format", ["http", "json"]);
  if (extra !== undefined) {
    throw new UsageError(`expected one service or URL, found ${positionals.join(", ")}`);
  }
  if (targets !== undefined) {
    if (word === "attack")
      throw new UsageError("leave the word attack out: load is vegeta's attack");
    if (word !== undefined) {
      throw new UsageError(`expected ${JSON.stringify(word)} or --targets, found both`);
    }
    refuseServiceFlags(flags);
    const isPipe = targets === "-" || targets === "stdin";
    return {
      kind: "targets",
      file: isPipe ? undefined : resolve(cwd, targets),
      format: format ?? "http",
    };
  }
  if (format !== undefined) throw new UsageError("--format goes with --targets");
  if (word === undefined) {
    throw new UsageError("expected a service, a URL, or --targets FILE (- reads a pipe)");
  }
  if (/^https?:/.test(word)) {
    refuseServiceFlags(flags);
    return { kind: "url", url: checkedUrl(word, "the URL") };
  }
  if (/[:/]/.test(word)) {
    throw new UsageError(
      `expected a service or a URL that begins with http:// or https://, found ${JSON.stringify(word)}`,
    );
  }
  const url = flags.text("url");
  const grpcUrl = flags.text("grpc-url");
  return {
    kind: "service",
    name: word,
    url: url === undefined ? undefined : checkedUrl(url, "--url"),
    grpcUrl: grpcUrl === undefined ? undefined : checkedUrl(grpcUrl, "--grpc-url"),
  };
}

function refuseServiceFlags(flags: Flags): void {
  const name = ["url", "grpc-url"].find((other) => flags.has(other));
  if (name !== undefined) throw new UsageError(`--${name} goes with a service`);
}

/** It is not printed: it may have a password. */
function checkedUrl(text: string, what: string): string {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol) && url.hostname !== "") return text;
  throw new UsageError(`${what}: expected http://host:port/path, found something else`);
}
