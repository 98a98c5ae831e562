import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GroupGuard } from "./group-guard.ts";
import { ProgramProcess, type ProgramStart } from "./program-process.ts";

/** Longest path of a socket in bytes: of macOS; Linux takes 107. */
const SOCKET_PATH_BYTES_MAX = 103;

/** The programs of this process: none outlives it, however it ends, nor does the folder of their sockets. */
export class RunningPrograms {
  readonly #searchPath: string;
  readonly #programs = new Set<ProgramProcess>();
  /** There while any program runs; only this user may enter it. */
  #home: { readonly folder: string; readonly guard: GroupGuard } | undefined;
  #socketCount = 0;
  readonly #onExit = (): void => {
    for (const program of this.#programs) program.kill();
    this.#leaveHome();
  };

  /** @param searchPath where the guard's shell is looked for. */
  constructor(searchPath: string) {
    this.#searchPath = searchPath;
  }

  /**
   * Starts a program.
   * @param start from the path of a socket that is its own.
   * @throws the error of the file system or of the start.
   */
  start(start: (socketPath: string) => ProgramStart): ProgramProcess {
    const { folder } = this.#enterHome();
    const socketPath = join(folder, String(++this.#socketCount));
    try {
      const program = new ProgramProcess(start(socketPath));
      this.#programs.add(program);
      void program.ended.then(() => {
        rmSync(socketPath, { force: true });
        this.#programs.delete(program);
        this.#changed();
      });
      return program;
    } finally {
      this.#changed();
    }
  }

  #changed(): void {
    if (this.#programs.size === 0) this.#leaveHome();
    else this.#home?.guard.watch([...this.#programs].flatMap(({ pid }) => pid ?? []));
  }

  #enterHome(): { readonly folder: string } {
    if (this.#home !== undefined) return this.#home;
    const folder = makeFolder();
    process.on("exit", this.#onExit);
    this.#home = { folder, guard: new GroupGuard(folder, this.#searchPath) };
    return this.#home;
  }

  #leaveHome(): void {
    if (this.#home === undefined) return;
    const { folder, guard } = this.#home;
    this.#home = undefined;
    process.off("exit", this.#onExit);
    guard.watch([]);
    guard.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `mkdtemp` makes it for this user alone (0700). */
function makeFolder(): string {
  const name = "millrace-programs-";
  const longest = join(tmpdir(), `${name}XXXXXX`, "999999");
  return mkdtempSync(
    join(Buffer.byteLength(longest) > SOCKET_PATH_BYTES_MAX ? "/tmp" : tmpdir(), name),
  );
}
