import { spawn, type ChildProcess } from "node:child_process";

/**
 * Reads lines of process groups, each replacing the one before; at the end of its input it kills the groups of the last
 * one and removes the folder. Word 1 is the folder.
 */
const SCRIPT =
  'groups=; while read -r line; do groups=$line; done; for group in $groups; do kill -KILL "-$group"; done; rm -rf -- "$1"';

/**
 * Ends programs when this process ends without a chance to do it itself: a small shell holds the other end of a pipe and
 * notices. Node.js has no way to ask the kernel for that (`prctl(PR_SET_PDEATHSIG)`). Where there is no `sh`, programs
 * are left to notice the end of their standard input.
 */
export class GroupGuard {
  readonly #shell: ChildProcess;

  /** @param folder removed as well. @param searchPath where `sh` is looked for. */
  constructor(folder: string, searchPath: string) {
    this.#shell = spawn("sh", ["-c", SCRIPT, "sh", folder], {
      detached: true,
      env: { PATH: searchPath },
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#shell.on("error", () => undefined);
    const { stdin } = this.#shell;
    stdin?.on("error", () => undefined);
    this.#shell.unref();
    // A pipe is a socket, which the types do not say.
    if (stdin !== null && "unref" in stdin) (stdin as unknown as { unref(): void }).unref();
  }

  /** Replaces the groups to kill. */
  watch(groups: readonly number[]): void {
    if (this.#shell.stdin?.writable === true) this.#shell.stdin.write(`${groups.join(" ")}\n`);
  }

  /** Kills what is watched still, and ends. */
  close(): void {
    this.#shell.stdin?.end();
  }
}
