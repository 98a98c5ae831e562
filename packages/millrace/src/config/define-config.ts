import type { ConfigInput } from "./schema.ts";

/** What `millrace.config.ts` exports: the same keys as `millrace.yaml`. */
export type MillraceInput = ConfigInput;

/**
 * Gives `millrace.config.ts` types and completion; returns its argument.
 *
 * @example
 * export default defineConfig({ models: { iris: "./iris.onnx" }, services: { iris: { timeout: "2s" } } });
 */
export function defineConfig(input: MillraceInput): MillraceInput {
  return input;
}
