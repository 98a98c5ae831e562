/** A terminal sends Ctrl-C to every process of its group, and a launcher passes it on: one press, two signals. */
const ONE_PRESS_MS = 500;

/**
 * Runs what ends in its own time: Ctrl-C and SIGTERM abort its signal, once more ends the process.
 * @returns what it gave, and whether it was interrupted.
 */
export async function interruptible<T>(
  run: (signal: AbortSignal) => Promise<T>,
): Promise<{ readonly result: T; readonly isInterrupted: boolean }> {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const interrupt = (): void => {
    firstMs ??= performance.now();
    if (performance.now() - firstMs > ONE_PRESS_MS) process.exit(130);
    controller.abort();
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  try {
    const result = await run(controller.signal);
    return { result, isInterrupted: controller.signal.aborted };
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}
