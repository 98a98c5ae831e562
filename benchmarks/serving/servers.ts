import { fastApi } from "./fastapi.ts";
import { millraceServe } from "./millrace.ts";
import { SERVER_CORE } from "./run-process.ts";
import type { ServerCommand } from "./server-process.ts";

export type ServerName = "millrace" | "fastapi";

/** What is compared, each with all its processes on the server's core. */
export const COMMANDS: Readonly<Record<ServerName, ServerCommand>> = {
  millrace: millraceServe(SERVER_CORE),
  fastapi: fastApi(SERVER_CORE),
};
