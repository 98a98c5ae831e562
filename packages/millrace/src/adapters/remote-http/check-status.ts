import type { HttpReply } from "./http-call.ts";
import { remoteFailed, type RemoteReason } from "./remote-error.ts";

/** Characters of a remote's body that go into the log. */
const EXCERPT_LENGTH = 200;

/** Bytes of it that are looked at for that. */
const EXCERPT_BYTES = 1_024;

/** Longest address of a redirect that is repeated. */
const TARGET_LENGTH = 200;

/** A longer wait than this is no promise of anything. */
const RETRY_SECONDS_MAX = 3_600;

const TOO_MANY_REQUESTS = 429;

export interface StatusFacts {
  /** Name of the remote. */
  readonly remote: string;
  /** Never repeated, should the remote echo them. */
  readonly secrets: readonly string[];
  /** Milliseconds since 1970, for a Retry-After that is a date. */
  readonly wallMs: number;
}

/**
 * Is there a prediction in it? @throws REMOTE_FAILED when there is none: callers learn the status, what the body says
 * and where a redirect points is in `cause`, for the log.
 */
export function checkStatus(reply: HttpReply, facts: StatusFacts): void {
  const { status, headers } = reply;
  const { remote } = facts;
  if (status >= 200 && status < 300) {
    const coding = headers["content-encoding"];
    if (coding === undefined || coding === "identity") return;
    throw remoteFailed(remote, "compressed its reply, though asked not to", { reason: "reply" });
  }
  if (status >= 300 && status < 400) {
    throw remoteFailed(remote, `answered ${status}, redirects are not followed`, {
      reason: "redirect",
      cause: new Error(`remote "${remote}" answered ${status}${targetOf(headers.location)}`),
    });
  }
  throw remoteFailed(remote, `answered ${status}`, {
    reason: reasonOf(reply),
    cause: new Error(
      `remote "${remote}" answered ${status}: ${excerpt(reply.bytes, facts.secrets)}`,
    ),
    retryAfterSeconds: retryAfterSeconds(headers["retry-after"], facts.wallMs),
  });
}

function reasonOf({ status, headers }: HttpReply): RemoteReason {
  // As Envoy, and every Millrace, marks what it refuses because it has too much to do.
  const isRefusal = status === 503 && headers["x-envoy-overloaded"] !== undefined;
  if (status === TOO_MANY_REQUESTS || isRefusal) return "limited";
  return status >= 400 && status < 500 ? "refused" : "status";
}

/** Where a redirect points, without what may be secret, and without characters that a log or a terminal obeys. */
function targetOf(location: string | undefined): string {
  if (location === undefined) return "";
  const url = URL.parse(location);
  const text =
    url === null ? location.replace(/[?#].*$/s, "") : `${url.protocol}//${url.host}${url.pathname}`;
  return ` to ${clean(text).slice(0, TARGET_LENGTH)}`;
}

/** The beginning of a body, for the log. */
function excerpt(bytes: Uint8Array, secrets: readonly string[]): string {
  let text = new TextDecoder().decode(bytes.subarray(0, EXCERPT_BYTES));
  for (const secret of secrets) text = text.replaceAll(secret, "***");
  return JSON.stringify(clean(text).slice(0, EXCERPT_LENGTH));
}

function clean(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]+/g, " ");
}

function retryAfterSeconds(header: string | undefined, wallMs: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - wallMs) / 1000;
  if (!Number.isFinite(seconds) || seconds < 0) return undefined;
  return Math.min(RETRY_SECONDS_MAX, Math.max(1, Math.ceil(seconds)));
}
