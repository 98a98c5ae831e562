import {
  decodeMessage,
  encodeMessage,
  message,
  one,
  type EnumType,
} from "../../core/protobuf/message-type.ts";
import { MillraceError } from "../../core/errors.ts";
import type { Clock } from "../../core/clock.ts";
import { frameOf } from "./message-frames.ts";
import type { Rpc, RpcCall } from "./rpc.ts";
import type { ServiceDescription } from "./service-description.ts";

const ServingStatus: EnumType = {
  kind: "enum",
  name: "HealthCheckResponse.ServingStatus",
  values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 },
};
const HealthCheckRequest = message("HealthCheckRequest", { service: one(1, "string") });
const HealthCheckResponse = message("HealthCheckResponse", { status: one(1, ServingStatus) });

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export const HEALTH_SERVICE: ServiceDescription = {
  name: "grpc.health.v1.Health",
  file: "grpc/health/v1/health.proto",
  methods: {
    Check: { request: HealthCheckRequest, response: HealthCheckResponse },
    Watch: { request: HealthCheckRequest, response: HealthCheckResponse, repliesStream: true },
  },
};

/** How often a watched state is looked at. */
const WATCH_MS = 500;

/** @returns whether a service answers; undefined when there is none of that name. */
export type HealthOf = (service: string) => boolean | undefined;

/**
 * The standard health service. The empty name asks for the server, others for what `healthOf` knows. Probes need
 * no key, as on HTTP.
 */
export function healthRpcs(healthOf: HealthOf, clock: Clock): Record<"Check" | "Watch", Rpc> {
  return {
    Check: {
      kind: "unary",
      scope: "none",
      run(bytes) {
        const service = serviceIn(bytes);
        const isServing = healthOf(service);
        if (isServing !== undefined) return reply(isServing);
        throw new MillraceError(
          "MODEL_NOT_FOUND",
          `Cannot check ${JSON.stringify(service)}: there is no such service`,
        );
      },
    },
    Watch: {
      kind: "watch",
      scope: "none",
      async run(bytes, call, send) {
        const service = serviceIn(bytes);
        let last: boolean | undefined | null = null;
        while (!call.cancellation.isCancelled) {
          const isServing = healthOf(service);
          if (isServing !== last) send(reply(isServing));
          last = isServing;
          await pause(clock, call);
        }
      },
    },
  };
}

function serviceIn(bytes: Buffer): string {
  return decodeMessage(HealthCheckRequest, bytes)["service"] as string;
}

function reply(isServing: boolean | undefined): Buffer {
  const status =
    isServing === undefined ? "SERVICE_UNKNOWN" : isServing ? "SERVING" : "NOT_SERVING";
  return frameOf(encodeMessage(HealthCheckResponse, { status }));
}

/** Ends early when the call does. */
function pause(clock: Clock, { cancellation }: RpcCall): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.schedule(WATCH_MS, () => done());
    const done = (): void => {
      cancel();
      forget();
      resolve();
    };
    const forget = cancellation.watch(done);
  });
}
