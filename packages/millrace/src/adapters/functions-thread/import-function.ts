import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import type { ThreadStart } from "./thread-messages.ts";

/**
 * Imports the file of a function as it was when the step was made, whatever stands on the disk by now.
 * @param library what `millrace` is in this thread, so that the file needs no installed package for it.
 * @returns the default export. @throws what the import throws.
 */
export async function importFunction(
  { path, source }: ThreadStart,
  library: URL,
): Promise<unknown> {
  const address = pathToFileURL(path).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier === "millrace"
        ? { url: library.href, shortCircuit: true }
        : next(specifier, context),
    load(url, context, next) {
      const loaded = next(url, context);
      // A CommonJS file is read by Node itself.
      const isModule = loaded.format?.startsWith("module") === true;
      return url === address && isModule ? { ...loaded, source } : loaded;
    },
  });
  const module = (await import(address)) as { readonly default?: unknown };
  return module.default;
}
