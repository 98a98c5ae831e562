import { delimiter } from "node:path";
import { MillraceError } from "../../core/errors.ts";
import type { Logger } from "../../ports/logger.ts";
import type { LoadedModel, ModelFile, ModelProgram, Runtime } from "../../ports/runtime.ts";
import { checkUnchanged, contentDigest, type ModelContent } from "./content-digest.ts";
import { describeProgram } from "./describe-program.ts";
import { fillPlaceholders, asksForPort, type ProgramAddress } from "./fill-placeholders.ts";
import { findFreePort } from "./find-free-port.ts";
import { LoadedProcessModel } from "./loaded-process-model.ts";
import { ProgramClient } from "./program-client.ts";
import { describeEnd, type ProgramProcess } from "./program-process.ts";
import { RunningPrograms } from "./running-programs.ts";
import { waitUntilReady } from "./wait-until-ready.ts";

export interface ProcessRuntimeOptions {
  /** Gets what programs print. */
  readonly log: Logger;
  /** Environment of this process; programs get four of its variables and no more. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Folder of `millrace_process.py`, for programs that import it. */
  readonly pythonFolder: string;
}

/** What every program gets of the server's environment: where things are, but no secrets. */
const INHERITED = ["PATH", "HOME", "LANG", "TMPDIR"] as const;

const DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

/**
 * Serves models by programs that speak the Open Inference Protocol over HTTP on a socket: the way to run what is not
 * ONNX. Each copy of a model is a process.
 *
 * The price of a run, measured with a Python program and small tensors, Node 24, 2 busy cores: 0.15 ms of the calling
 * thread, and an answer 0.5 ms later than the program's own work takes.
 */
export class ProcessRuntime implements Runtime {
  readonly name = "process";
  readonly platform = "process_oip";
  readonly #options: ProcessRuntimeOptions;
  readonly #programs: RunningPrograms;

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
    this.#programs = new RunningPrograms(options.environment["PATH"] ?? DEFAULT_PATH);
  }

  async load(file: ModelFile, signal?: AbortSignal): Promise<LoadedModel> {
    signal?.throwIfAborted();
    try {
      return await this.#load(file, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      const why = cause instanceof Error ? cause.message : "unknown error";
      const message = `Cannot load model "${file.path}": ${why}`;
      throw new MillraceError("MODEL_LOAD_FAILED", message, { cause });
    }
  }

  async #load(file: ModelFile, signal: AbortSignal | undefined): Promise<LoadedModel> {
    if (file.program === undefined) throw new Error("it has no command");
    const content = await checkedContent(file, file.program);
    const port = asksForPort(file.program) ? await findFreePort() : undefined;
    signal?.throwIfAborted();

    const { program, client } = this.#start(file, file.program, port);
    try {
      await untilReady(program, client, { startMs: file.program.startMs, signal });
      await checkUnchanged(content, file, file.program);
      return await describe(file.program, content, { program, client });
    } catch (error) {
      client.close();
      await program.stop();
      throw error;
    }
  }

  #start(
    file: ModelFile,
    program: ModelProgram,
    port: number | undefined,
  ): { readonly program: ProgramProcess; readonly client: ProgramClient } {
    let address: ProgramAddress | undefined;
    const started = this.#programs.start((path) => {
      address = port === undefined ? { kind: "socket", path } : { kind: "port", port };
      const { command, env } = fillPlaceholders(program, file, address);
      const { model, folder } = program;
      const { log } = this.#options;
      return { model, command, env: this.#environment(env, file), folder, log };
    });
    return { program: started, client: new ProgramClient(address as ProgramAddress) };
  }

  #environment(own: Readonly<Record<string, string>>, file: ModelFile): Record<string, string> {
    const { environment, pythonFolder } = this.#options;
    const inherited: Record<string, string> = { PATH: DEFAULT_PATH };
    for (const name of INHERITED) {
      const value = environment[name];
      if (value !== undefined) inherited[name] = value;
    }
    const pythonPath = own["PYTHONPATH"];
    return {
      ...inherited,
      // Numerical libraries take all cores otherwise, each copy of the model for itself.
      OMP_NUM_THREADS: String(file.threads),
      ...own,
      PYTHONPATH:
        pythonPath === undefined ? pythonFolder : `${pythonPath}${delimiter}${pythonFolder}`,
    };
  }
}

async function checkedContent(file: ModelFile, program: ModelProgram): Promise<ModelContent> {
  const content = await contentOf(file, program);
  // A digest of the file pins the source; one of a model that was loaded before pins the program as well.
  const { sha256 } = file;
  if (sha256 === undefined || sha256 === content.sha256 || sha256 === content.sourceSha256) {
    return content;
  }
  const found = content.sourceSha256 ?? content.sha256;
  throw new Error(`its sha256 is ${found}, expected ${sha256}`);
}

async function contentOf(file: ModelFile, program: ModelProgram): Promise<ModelContent> {
  try {
    return await contentDigest(file, program);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw cause;
    throw new Error("there is no such file", { cause });
  }
}

interface ReadyLimits {
  readonly startMs: number;
  readonly signal: AbortSignal | undefined;
}

/** @throws when the program ends, is not ready in time, or `signal` fires. */
async function untilReady(
  program: ProgramProcess,
  client: ProgramClient,
  { startMs, signal }: ReadyLimits,
): Promise<void> {
  const stopping = new AbortController();
  const waitedEnough = setTimeout(() => stopping.abort(), startMs);
  const signals = signal === undefined ? [stopping.signal] : [stopping.signal, signal];
  let lastAnswer = "it does not listen";
  const ready = waitUntilReady(client, AbortSignal.any(signals), (answer) => (lastAnswer = answer));
  try {
    const end = await Promise.race([program.ended, ready.then(() => undefined)]);
    if (end !== undefined) throw new Error(`its program ${describeEnd(end)}`);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    throw new Error(`its program is not ready after ${startMs / 1000} s: ${lastAnswer}`, {
      cause: error,
    });
  } finally {
    clearTimeout(waitedEnough);
    stopping.abort();
    await ready.catch(() => undefined);
  }
}

async function describe(
  { model, command }: ModelProgram,
  { sha256, sizeBytes }: ModelContent,
  parts: { readonly program: ProgramProcess; readonly client: ProgramClient },
): Promise<LoadedModel> {
  const path = `/v2/models/${encodeURIComponent(model)}`;
  const { isBinary, platform, inputs, outputs } = await describeProgram(parts.client, path);
  return new LoadedProcessModel({
    ...parts,
    isBinary,
    inferPath: `${path}/infer`,
    description: {
      platform,
      inputs,
      outputs,
      outputAliases: {},
      probabilitiesOutput: undefined,
      labels: undefined,
      sha256,
      loadedSha256: sha256,
      changes: [],
      sizeBytes,
      details: { command: command.join(" ") },
    },
  });
}
