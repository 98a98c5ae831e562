/** Thrown by a failed start: the message is for the person at the terminal. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "StartError";
  }
}

/** A start that fails because of what the file asks for, and not because of the machine. */
export class WrongConfigError extends StartError {
  constructor(message: string) {
    super(message);
    this.name = "WrongConfigError";
  }
}

const FLAGS: Readonly<Record<string, string>> = {
  "server.httpPort": "--port",
  "server.grpcPort": "--server.grpc-port",
  "server.metricsPort": "--server.metrics-port",
  "server.controlPort": "--server.control-port",
};

/**
 * Turns what the system says about a port into what to do about it.
 * @param key configuration key of the port, `server.httpPort`.
 */
export function listenError(
  error: unknown,
  address: { readonly host: string; readonly port: number; readonly key: string },
): Error {
  const { host, port, key } = address;
  const flag = FLAGS[key] ?? `--${key}`;
  const code = (error as NodeJS.ErrnoException).code;
  const where = `Cannot listen on ${host}:${port}`;
  switch (code) {
    case "EADDRINUSE":
      return new StartError(
        `${where}: the port is in use; choose another with ${flag} (${key}), 0 takes a free one`,
        error,
      );
    case "EACCES":
      return new StartError(
        `${where}: no permission for this port; choose one above 1023 with ${flag} (${key})`,
        error,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new StartError(
        `${where}: this machine has no such address; choose another with --host (server.host)`,
        error,
      );
    default:
      return new StartError(
        `${where}: ${error instanceof Error ? error.message : String(error)}`,
        error,
      );
  }
}
