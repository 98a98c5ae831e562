import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ConnectPlan } from "../load-plan.ts";
import { socketAddress, type SocketAddress } from "./socket-address.ts";
import type { TlsOptionsOf } from "./tls-options.ts";

/** A server of the targets: scheme, host and port. A name is looked up once; its connections all go to one address. */
export class Http1Endpoint {
  /** Origin of its URLs, or path of its Unix socket. */
  readonly name: string;
  /** Its connections can be reset. */
  readonly isPlainTcp: boolean;
  readonly #hostname: string;
  readonly #address: SocketAddress;
  /** Undefined for http. */
  readonly #tlsOptionsOf: TlsOptionsOf | undefined;
  /** Where the first connection that stood has led. */
  #host: string;

  /** @param url one of its URLs. */
  constructor(url: URL, place: ConnectPlan, tlsOptionsOf: TlsOptionsOf) {
    this.name = place.unixSocket ?? url.origin;
    this.#hostname = url.hostname;
    this.#address = socketAddress(url, place);
    this.#host = this.#address.host;
    this.isPlainTcp = url.protocol === "http:" && place.unixSocket === undefined;
    this.#tlsOptionsOf = url.protocol === "https:" ? tlsOptionsOf : undefined;
  }

  /** @param onOpen called when it stands; over TLS when the server is who it should be. */
  connect(onread: OnReadOpts, onOpen: () => void): Socket {
    const address = { ...this.#address, host: this.#host, onread };
    const tls = this.#tlsOptionsOf?.(this.#hostname);
    const socket =
      tls === undefined
        ? connectTcp(address)
        : connectTls({ ...tls, ...address, ALPNProtocols: ["http/1.1"] });
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      socket.setNoDelay();
      const { remoteAddress = "" } = socket;
      if (isIP(remoteAddress) !== 0) this.#host = remoteAddress;
      onOpen();
    });
    return socket;
  }
}
