import { expect, test } from "vitest";
import { parseGrpcTimeout } from "./grpc-timeout.ts";

test.each([
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["3S", 3_000],
  ["250m", 250],
  ["99999999u", 99_999.999],
  ["5n", 5e-6],
  ["0S", 0],
])("parseGrpcTimeout() gives milliseconds when the header is %s", (text, timeoutMs) => {
  expect(parseGrpcTimeout(text)).toBeCloseTo(timeoutMs, 9);
});

test.each(["", "S", "1", "1s", "-1S", "1.5S", "123456789S", " 1S", "1SS"])(
  "parseGrpcTimeout() throws INVALID_HEADER when the header is %j",
  (text) => {
    expect(() => parseGrpcTimeout(text)).toThrow(/Cannot read header grpc-timeout/);
  },
);
