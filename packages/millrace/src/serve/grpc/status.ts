import { ERRORS, MillraceError, type ErrorCode } from "../../core/errors.ts";
import { ProtobufError } from "../../core/protobuf/wire-reader.ts";

/** Status codes of gRPC, by the names that the table of errors uses. */
export const STATUS = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const satisfies Record<string, number>;

type Headers = Record<string, string | number>;

/** Longer texts are cut: clients drop a reply whose headers are larger than they allow, often 8 KiB. */
const MESSAGE_CHARS_MAX = 2_000;

export function statusOf(code: ErrorCode): number {
  return STATUS[ERRORS[code].grpc as keyof typeof STATUS];
}

/**
 * Status, message and facts of a failed call, as headers of its end.
 *
 * Clients of KServe send a call again, three times, when it is UNAVAILABLE: `grpc-retry-pushback-ms` tells them
 * when, so that a shed load does not come back multiplied at once.
 */
export function errorTrailers(error: MillraceError, predictionId: string | undefined): Headers {
  const trailers: Headers = {
    "grpc-status": statusOf(error.code),
    "grpc-message": percentEncode(error.message.slice(0, MESSAGE_CHARS_MAX)),
    "x-error-code": error.code,
  };
  if (predictionId !== undefined) trailers["x-prediction-id"] = predictionId;
  const { retryAfterSeconds } = error;
  if (retryAfterSeconds !== undefined) {
    trailers["retry-after"] = retryAfterSeconds;
    trailers["grpc-retry-pushback-ms"] = retryAfterSeconds * 1000;
  }
  return trailers;
}

/** What went wrong, as a row of the table; what is not in it is a defect of ours. */
export function toMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  if (error instanceof ProtobufError) {
    const message = `it is not what the method takes, ${error.message}`;
    return new MillraceError("INVALID_BODY", `Cannot read the message: ${message}`, {
      problems: [{ location: ["message"], message, type: "protobuf" }],
    });
  }
  return new MillraceError("INTERNAL", "Cannot answer: internal error", { cause: error });
}

/** As gRPC asks: bytes of UTF-8 outside printable ASCII, and `%` itself, become `%XX`. */
function percentEncode(text: string): string {
  if (/^[ -$&-~]*$/.test(text)) return text;
  let encoded = "";
  for (const byte of Buffer.from(text)) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return encoded;
}
