import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const REQUIREMENTS = join(ROOT, "test/clients/requirements.txt");
const FOLDER = join(ROOT, "node_modules/.cache/test-venv");
const STAMP = join(FOLDER, "digest");
const PYTHON = join(FOLDER, "bin/python");

/** Longest time the download and installation may take; 25 seconds are usual. */
const INSTALL_MS_MAX = 300_000;

/**
 * @returns the Python of the virtual environment that the client tests run in.
 * @throws when it was not made, or was made from other requirements: the tests fail then, they are not left out.
 */
export function testPython(): string {
  if (isCurrent()) return PYTHON;
  throw new Error("The tests need their Python packages, run: node tools/ensure-parts.mjs");
}

/** Makes the virtual environment unless it is there already. @throws when Python or pip fails. */
export function makeTestVenv(): void {
  if (isCurrent()) return;
  rmSync(FOLDER, { recursive: true, force: true });
  run("python3", ["-m", "venv", FOLDER]);
  // The list is the whole closure; nothing is built from source, nothing newer is picked.
  const options = "--quiet --disable-pip-version-check --no-deps --no-compile --only-binary :all:";
  run(PYTHON, ["-m", "pip", "install", ...options.split(" "), "--requirement", REQUIREMENTS]);
  writeFileSync(STAMP, digest());
}

function isCurrent(): boolean {
  return existsSync(STAMP) && readFileSync(STAMP, "utf8") === digest();
}

/** Of the requirements and of the folder, because a virtual environment works only where it was made. */
function digest(): string {
  return createHash("sha256").update(FOLDER).update(readFileSync(REQUIREMENTS)).digest("hex");
}

function run(command: string, words: readonly string[]): void {
  const { status, error } = spawnSync(command, words, {
    stdio: "inherit",
    timeout: INSTALL_MS_MAX,
  });
  if (status === 0) return;
  throw new Error(
    `Cannot run ${command} ${words.join(" ")}: ${error?.message ?? `exit ${String(status)}`}`,
  );
}
