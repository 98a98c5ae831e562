import type { ModelFile, ModelProgram } from "../../ports/runtime.ts";

/** Where a program listens: a socket file, or a port of 127.0.0.1 for those that ask for one. */
export type ProgramAddress =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "port"; readonly port: number };

/** The words and variables that start a program. */
export interface FilledProgram {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Does the program listen on a port rather than on a socket file? It says so by `{port}`. */
export function asksForPort({ command, env }: ModelProgram): boolean {
  return [...command, ...Object.values(env)].some((text) => text.includes("{port}"));
}

/**
 * Puts the facts of one start into the command and the environment of a program: `{source}`, `{model}`, `{threads}`, and
 * `{socket}` or `{port}`; also as `MILLRACE_SOURCE` and so on. Other braces are left as they are.
 */
export function fillPlaceholders(
  program: ModelProgram,
  file: ModelFile,
  address: ProgramAddress,
): FilledProgram {
  const facts: Record<string, string> = {
    ...(program.hasSource ? { source: file.path } : {}),
    model: program.model,
    threads: String(file.threads),
    ...(address.kind === "socket" ? { socket: address.path } : { port: String(address.port) }),
  };
  const fill = (text: string): string =>
    text.replace(/\{(\w+)\}/g, (placeholder, name: string) => facts[name] ?? placeholder);
  const env = Object.entries(program.env).map(([name, value]) => [name, fill(value)]);
  const given = Object.entries(facts).map(([name, value]) => [variableOf(name), value]);
  return {
    command: program.command.map(fill),
    env: Object.fromEntries([...env, ...given]) as Record<string, string>,
  };
}

function variableOf(fact: string): string {
  return fact === "source" ? "MILLRACE_MODEL_SOURCE" : `MILLRACE_${fact.toUpperCase()}`;
}
