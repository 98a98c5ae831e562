import { MillraceError } from "../../core/errors.ts";

/**
 * Why a remote server gave no prediction, for programs.
 *
 * - `unreachable`: no connection, or it broke before the reply was whole.
 * - `status`: it answered 5xx. - `limited`: it is well, and asked for more than it can take: 429, or a 503 with the header
 *   `x-envoy-overloaded`.
 * - `refused`: it answered another 4xx, so asking again is of no use.
 * - `redirect`: it pointed elsewhere. - `reply`: its reply cannot be read, or is not what was asked for.
 * - `too_large`: its reply is larger than `replyMax`.
 * - `mismatch`: what it says about its model does not go with what the file declares.
 */
export type RemoteReason =
  | "unreachable"
  | "status"
  | "limited"
  | "refused"
  | "redirect"
  | "reply"
  | "too_large"
  | "mismatch";

interface RemoteFacts {
  readonly reason: RemoteReason;
  /** For the log alone: callers are not told what another server says. */
  readonly cause?: unknown;
  readonly retryAfterSeconds?: number | undefined;
}

/** REMOTE_FAILED; `state` says what the remote did: `answered 500`. */
export function remoteFailed(remote: string, state: string, facts: RemoteFacts): MillraceError {
  const { reason, cause, retryAfterSeconds } = facts;
  return MillraceError.withoutStack(
    "REMOTE_FAILED",
    `Cannot predict: remote "${remote}" ${state}`,
    {
      reason,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      ...(cause !== undefined && { cause }),
    },
  );
}

/** What the connection's error comes to, without addresses of machines. */
export function unreachable(remote: string, error: unknown): MillraceError {
  const code = error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? "") : "";
  return remoteFailed(remote, stateOf(code), { reason: "unreachable", cause: error });
}

function stateOf(code: string): string {
  if (code.startsWith("HPE_")) return "answered something that is not HTTP";
  if (code.includes("CERT") || code.startsWith("ERR_TLS") || code.includes("SELF_SIGNED")) {
    return "shows a certificate that is not accepted";
  }
  return STATES[code] ?? "cannot be reached";
}

const STATES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "cannot be reached: the connection is refused",
  ECONNRESET: "closed the connection before its reply was whole",
  EPIPE: "closed the connection before its reply was whole",
  ENOTFOUND: "cannot be reached: its host is not known",
  EAI_AGAIN: "cannot be reached: its host cannot be looked up now",
  ETIMEDOUT: "cannot be reached: the connection timed out",
};
