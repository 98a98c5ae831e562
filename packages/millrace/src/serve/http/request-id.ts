import { randomUUID } from "node:crypto";

/** @param header what the client sent as `x-request-id`. @returns it when it is short and harmless in a log, else a new id. */
export function requestIdOf(header: string | undefined): string {
  return header !== undefined && /^[\w.:/+=@-]{1,128}$/.test(header) ? header : randomUUID();
}
