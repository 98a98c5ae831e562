/** A terminal sends Ctrl-C to every process of its group, and a launcher passes it on: one press, two signals. */
const ONE_PRESS_MS = 500;

export interface SignalHandlers {
  /** First SIGTERM or SIGINT. */
  readonly stop: (signal: "SIGTERM" | "SIGINT") => void;
  /** The same again, later: the person does not want to wait. */
  readonly force: () => void;
  readonly reload: () => void;
}

export function onSignals({ stop, force, reload }: SignalHandlers): void {
  let firstMs: number | undefined;
  const stopOrForce = (signal: "SIGTERM" | "SIGINT"): void => {
    const nowMs = performance.now();
    if (firstMs === undefined) {
      firstMs = nowMs;
      stop(signal);
    } else if (nowMs - firstMs > ONE_PRESS_MS) force();
  };
  process.on("SIGTERM", () => stopOrForce("SIGTERM"));
  process.on("SIGINT", () => stopOrForce("SIGINT"));
  process.on("SIGHUP", reload);
}
