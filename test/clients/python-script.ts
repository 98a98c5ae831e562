import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { testPython } from "../../tools/test-venv.ts";

/** Longest time a script may take before its test gives up on it. */
const SCRIPT_MS_MAX = 45_000;

type Cases = Readonly<Record<string, { readonly returned?: unknown; readonly raised?: string }>>;

/** What each case of a script returned. */
export class Outcomes {
  readonly #cases: Cases;

  constructor(json: string) {
    this.#cases = JSON.parse(json) as Cases;
  }

  /** @throws with the Python traceback when the case raised. */
  of<T>(name: string): T {
    const outcome = this.#cases[name];
    if (outcome === undefined) throw new Error(`The script has no case ${name}`);
    if (outcome.raised !== undefined) throw new Error(outcome.raised);
    return outcome.returned as T;
  }
}

/** Runs a script of this folder with `server` as JSON on its standard input. @throws when it fails as a whole. */
export async function runScript(
  name: string,
  words: readonly string[],
  server: object,
): Promise<Outcomes> {
  const child = spawn(testPython(), [join(import.meta.dirname, name), ...words], {
    stdio: ["pipe", "pipe", "pipe"],
    timeout: SCRIPT_MS_MAX,
    // Compiled modules are kept: the packages are installed without, and half of a script's time is its imports.
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "", NO_PROXY: "127.0.0.1" },
  });
  child.stdin.end(JSON.stringify(server));
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  if (code !== 0) throw new Error(`${name} ended with ${String(code)}:\n${stderr}`);
  return new Outcomes(stdout);
}
