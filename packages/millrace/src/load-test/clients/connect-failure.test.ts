import { expect, test } from "vitest";
import { connectFailure } from "./connect-failure.ts";

test.each([
  [
    "of the system is as it is",
    new Error("connect ECONNREFUSED 127.0.0.1:1"),
    "connect ECONNREFUSED 127.0.0.1:1",
  ],
  [
    "names every address that was tried",
    new AggregateError([
      new Error("connect ECONNREFUSED ::1:1"),
      new Error("connect ECONNREFUSED 127.0.0.1:1"),
    ]),
    "connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1",
  ],
  [
    "about a certificate says what to do here",
    Object.assign(
      new Error(
        "self-signed certificate; if the root CA is installed locally, try running Node.js with --use-system-ca",
      ),
      { code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    ),
    "self-signed certificate (--root-certs names who signs it, --insecure does not look)",
  ],
  [
    "says that a server does not speak TLS",
    Object.assign(
      new Error("400D:error:0A00010B:SSL routines:wrong version number:tlsany.c:77:\n"),
      {
        code: "ERR_SSL_WRONG_VERSION_NUMBER",
      },
    ),
    "the server does not speak TLS; is it http://?",
  ],
])("connectFailure() %s", (_what, error, text) => {
  expect(connectFailure(error)).toBe(text);
});
