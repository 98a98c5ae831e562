import type { MessageType } from "../../core/protobuf/message-type.ts";

export interface MethodDescription {
  readonly request: MessageType;
  readonly response: MessageType;
  readonly takesStream?: boolean;
  readonly repliesStream?: boolean;
}

/** A gRPC service as clients see it: what reflection tells, and which methods there are. */
export interface ServiceDescription {
  /** With its package: `inference.GRPCInferenceService`. */
  readonly name: string;
  /** Name of the .proto file that would define it. */
  readonly file: string;
  readonly methods: Readonly<Record<string, MethodDescription>>;
}

export function packageOf({ name }: ServiceDescription): string {
  return name.slice(0, name.lastIndexOf("."));
}
