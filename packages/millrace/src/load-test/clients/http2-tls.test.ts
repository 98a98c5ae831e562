import { once } from "node:events";
import { createSecureServer } from "node:http2";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { createServer as createTls, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LoadInputError } from "../load-input-error.ts";
import type { TlsPlan } from "../load-plan.ts";
import { negotiateProtocol } from "./negotiate-protocol.ts";
import { testCertificate } from "./test-certificate.ts";
import { TestClientRun, testTarget } from "./test-client-run.ts";
import { tlsOptions } from "./tls-options.ts";

const { cert, key } = testCertificate();
const OTHER = testCertificate();

const NO_TLS: TlsPlan = {
  insecure: false,
  rootCertificates: [],
  certificate: undefined,
  privateKey: undefined,
};
const TRUSTING: TlsPlan = { ...NO_TLS, rootCertificates: [cert] };
const PLACE = { localAddress: undefined, unixSocket: undefined };

const servers: Server[] = [];
const sockets = new Set<TLSSocket>();

async function listen(server: Server): Promise<string> {
  server.on("secureConnection", (socket: TLSSocket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

let both: string;
let http1: string;
let noAlpn: string;
const clientNames: unknown[] = [];
beforeAll(async () => {
  const server = createSecureServer(
    { cert, key, allowHTTP1: true, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      const socket = request.stream.session?.socket as TLSSocket;
      const { subject } = socket.getPeerCertificate() as { subject?: { CN: string } };
      clientNames.push([socket.servername, subject?.CN]);
      response.end("fine");
    },
  );
  both = await listen(server);
  http1 = await listen(createHttps({ cert, key }, (_, response) => response.end("fine")));
  noAlpn = await listen(createTls({ cert, key }));
});
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
});

function run(url: string, tls = TRUSTING): TestClientRun {
  return new TestClientRun({ protocol: "http2", targets: [testTarget(url)], tls });
}

describe("Http2Client over TLS", () => {
  it("asks with the name of the server and the client's certificate when it has one", async () => {
    using client = run(both, { ...TRUSTING, certificate: OTHER.cert, privateKey: OTHER.key });
    await client.client.open(1);
    expect(await client.askOne()).toMatchObject({ code: 200, bytesIn: 4, error: "" });
    expect(clientNames.at(-1)).toEqual(["localhost", "localhost"]);
  });

  it("asks an address without a server name, which its certificate must have", async () => {
    using client = run(both.replace("localhost", "127.0.0.1"));
    expect(await client.askOne()).toMatchObject({ code: 200 });
    expect(clientNames.at(-1)).toEqual([false, undefined]);
  });

  it("refuses a certificate that nobody it trusts has signed, unless it is told not to look", async () => {
    using client = run(both, { ...NO_TLS, rootCertificates: [OTHER.cert] });
    const opened = client.client.open(1);
    await expect(opened).rejects.toThrow(`Cannot connect to ${both}: self-signed certificate`);
    await expect(opened).rejects.toThrow(LoadInputError);
    const { code, error } = await client.askOne();
    expect([code, error]).toEqual([0, expect.stringMatching(/^self-signed certificate/)]);
    using careless = run(both, { ...NO_TLS, insecure: true });
    expect(await careless.askOne()).toMatchObject({ code: 200 });
  });

  it.each(["a server of HTTP/1.1", "a server without ALPN"])(
    "says what to do when it meets %s",
    async (which) => {
      const url = which.endsWith("ALPN") ? noAlpn : http1;
      const why = `${url} does not offer HTTP/2 (ALPN h2); --http2=false asks for HTTP/1.1`;
      using client = run(url);
      await expect(client.client.open(1)).rejects.toThrow(`Cannot connect to ${url}: ${why}`);
      expect(await client.askOne()).toMatchObject({ code: 0, error: why });
    },
  );
});

describe("negotiateProtocol()", () => {
  it("returns http2 when the server offers it, else http1", async () => {
    expect(await negotiateProtocol(both, TRUSTING, PLACE)).toBe("http2");
    expect(await negotiateProtocol(http1, TRUSTING, PLACE)).toBe("http1");
    expect(await negotiateProtocol(noAlpn, TRUSTING, PLACE)).toBe("http1");
    expect(await negotiateProtocol("http://127.0.0.1:1", NO_TLS, PLACE)).toBe("http1");
  });

  it("rejects with what hinders a connection", async () => {
    await expect(negotiateProtocol(both, NO_TLS, PLACE)).rejects.toThrow("self-signed certificate");
    await expect(negotiateProtocol("https://127.0.0.1:1", NO_TLS, PLACE)).rejects.toThrow(
      "connect ECONNREFUSED 127.0.0.1:1",
    );
  });
});

describe("tlsOptions()", () => {
  it.each<[string, Partial<TlsPlan>]>([
    ["a root certificate is none", { rootCertificates: ["nonsense"] }],
    ["a certificate has no key", { certificate: cert }],
    ["a key has no certificate", { privateKey: key }],
    ["a key is that of another certificate", { certificate: cert, privateKey: OTHER.key }],
  ])("throws a LoadInputError when %s", (_what, plan) => {
    expect(() => tlsOptions({ ...NO_TLS, ...plan })).toThrow(LoadInputError);
  });
});
