/** Names of gRPC's status codes, by number, with the HTTP status that means the same. */
const STATUSES: readonly (readonly [name: string, httpStatus: number])[] = [
  ["OK", 200],
  ["CANCELLED", 499],
  ["UNKNOWN", 500],
  ["INVALID_ARGUMENT", 400],
  ["DEADLINE_EXCEEDED", 504],
  ["NOT_FOUND", 404],
  ["ALREADY_EXISTS", 409],
  ["PERMISSION_DENIED", 403],
  ["RESOURCE_EXHAUSTED", 429],
  ["FAILED_PRECONDITION", 400],
  ["ABORTED", 409],
  ["OUT_OF_RANGE", 400],
  ["UNIMPLEMENTED", 501],
  ["INTERNAL", 500],
  ["UNAVAILABLE", 503],
  ["DATA_LOSS", 500],
  ["UNAUTHENTICATED", 401],
];

const UNKNOWN = 2;

export interface GrpcStatus {
  readonly name: string;
  readonly httpStatus: number;
}

/** @param code as it stands in `grpc-status`; what is no status code counts as UNKNOWN, as clients take it. */
export function grpcStatus(code: string): GrpcStatus {
  const number = /^\d{1,2}$/.test(code) ? Number(code) : UNKNOWN;
  const [name, httpStatus] = STATUSES[number] ?? (STATUSES[UNKNOWN] as (typeof STATUSES)[number]);
  return { name, httpStatus };
}
