import type Sharp from "sharp";
import { MillraceError } from "../../core/errors.ts";

export type SharpModule = typeof Sharp;

/**
 * Loads sharp, which is installed only where images are served, and sets it up for a server.
 * @throws MODEL_LOAD_FAILED when it is not installed, or not for this machine.
 */
export async function loadSharp(
  importSharp: () => Promise<{ readonly default: SharpModule }>,
): Promise<SharpModule> {
  let sharp: SharpModule;
  try {
    ({ default: sharp } = await importSharp());
  } catch (cause) {
    const message =
      "Cannot decode images: sharp cannot be loaded, install sharp: npm install sharp";
    throw new MillraceError("MODEL_LOAD_FAILED", message, { cause });
  }
  // Every picture is another one: what its cache keeps is never asked for again.
  sharp.cache(false);
  // Pictures are decoded side by side, each on one thread: more would take the cores from the models.
  sharp.concurrency(1);
  return sharp;
}
