import { messageOf } from "../../core/message-of.ts";

/** What Node adds to what OpenSSL says of certificates: flags of its own. */
const NODE_HINT = /; if the root CA is installed locally.*$/s;

/** Codes of certificates that nobody who is trusted has signed. */
const UNTRUSTED: ReadonlySet<unknown> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** Why a connection could not be opened, or broke, in the system's words. */
export function connectFailure(error: NodeJS.ErrnoException): string {
  // Where a name has several addresses, Node's error has no message but one for each.
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(", ");
  if (error.code === "ERR_SSL_WRONG_VERSION_NUMBER") {
    return "the server does not speak TLS; is it http://?";
  }
  const text = error.message.replace(NODE_HINT, "");
  if (!UNTRUSTED.has(error.code)) return text;
  return `${text} (--root-certs names who signs it, --insecure does not look)`;
}
