import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../machine.ts";
import { runProcess } from "./run-process.ts";

/** Everything the benchmark installs or makes once; outside the repository's files. */
export const CACHE = join(ROOT, "node_modules/.cache/bench");

const INSTALL_MS_MAX = 600_000;

/** A Python environment with exactly the packages of a requirements file. */
export class PythonEnv {
  readonly #folder: string;
  readonly #requirements: string;

  constructor(name: string, requirements: string) {
    this.#folder = join(CACHE, `${name}-venv`);
    this.#requirements = requirements;
  }

  /** Creates it, unless it is there already for the same requirements. */
  async install(): Promise<void> {
    const text = readFileSync(this.#requirements);
    const wanted = createHash("sha256").update(text).digest("hex");
    const stamp = join(this.#folder, "requirements.sha256");
    if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
    process.stderr.write(`Installing ${this.#requirements}, once…\n`);
    rmSync(this.#folder, { recursive: true, force: true });
    await runProcess(["python3", "-m", "venv", this.#folder], INSTALL_MS_MAX);
    const pip = [this.bin("python"), "-m", "pip", "install", "-q", "--no-deps"];
    await runProcess([...pip, "-r", this.#requirements], INSTALL_MS_MAX);
    writeFileSync(stamp, wanted);
  }

  /** @returns the path of one of its programs. */
  bin(program: string): string {
    return join(this.#folder, "bin", program);
  }

  /** @returns the versions of some of its packages, and of Python itself. */
  async versions(packages: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const script =
      "import sys, json, platform, importlib.metadata as m; " +
      "print(json.dumps({**{p: m.version(p) for p in sys.argv[1:]}, 'python': platform.python_version()}))";
    const output = await runProcess([this.bin("python"), "-c", script, ...packages], 60_000);
    return JSON.parse(output) as Record<string, string>;
  }
}
