import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { createSecureContext, type ConnectionOptions, type SecureContext } from "node:tls";
import { LoadInputError } from "../load-input-error.ts";
import type { TlsPlan } from "../load-plan.ts";

/** What a TLS connection to a host of a URL is opened with, but for port and ALPN; brackets of IPv6 are fine. */
export type TlsOptionsOf = (hostname: string) => ConnectionOptions;

/**
 * Reads the certificates once, for all connections of a thread. Root certificates take the place of those the
 * system trusts, as vegeta's do.
 * @throws LoadInputError when the PEM texts are no certificates, or the key is not that of the certificate.
 */
export function tlsOptions(plan: TlsPlan): TlsOptionsOf {
  const secureContext = secureContextOf(plan);
  return (hostname) => {
    const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
    return {
      host,
      secureContext,
      rejectUnauthorized: !plan.insecure,
      // tls.connect() sends no server name unless told to, and an address is none.
      ...(isIP(host) === 0 && { servername: host }),
    };
  };
}

function secureContextOf(plan: TlsPlan): SecureContext {
  const { rootCertificates, certificate, privateKey } = plan;
  if ((certificate === undefined) !== (privateKey === undefined)) {
    const missing = certificate === undefined ? "certificate" : "key";
    throw new LoadInputError(`Cannot use the client certificate: its ${missing} is missing`);
  }
  for (const pem of rootCertificates) checkRoot(pem);
  try {
    return createSecureContext({
      ...(rootCertificates.length > 0 && { ca: [...rootCertificates] }),
      ...(certificate !== undefined && { cert: certificate, key: privateKey }),
    });
  } catch (error) {
    throw new LoadInputError(`Cannot use the client certificate: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** OpenSSL passes over texts that are no certificates, and trust would silently be in nobody. */
function checkRoot(pem: string): void {
  try {
    new X509Certificate(pem);
  } catch (error) {
    throw new LoadInputError(
      "Cannot use the root certificates: one of them is no PEM certificate",
      {
        cause: error,
      },
    );
  }
}
