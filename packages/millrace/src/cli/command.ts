/** What a command has of the outside world; tests give it their own. */
export interface CommandIo {
  readonly stdout: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    /** Characters of a line; undefined where it is no terminal. */
    readonly columns?: number;
  };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** 0 done · 1 ran and failed · 2 wrong use or configuration · 130 interrupted. */
export type ExitCode = 0 | 1 | 2 | 130;

export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** Everything after `millrace `: `serve [file | model.onnx …]`. */
  readonly usage: string;
  /** Options of this command: name without dashes → what it does; with `=VALUE` in the name it takes one. */
  readonly options: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
  run(line: CommandLine, io: CommandIo): Promise<ExitCode>;
}

export interface CommandLine {
  readonly positionals: readonly string[];
  /** Value of an option of the command; "" for one that takes none. */
  readonly options: ReadonlyMap<string, string>;
  /** All other flags, as written: keys of the configuration. */
  readonly configFlags: readonly string[];
}

/** Wrong use of a command: printed with a hint at its help, exit 2. */
export class UsageError extends Error {}

/**
 * Splits the words behind the command's name. A flag that is not an option of the command is a key of the
 * configuration and takes a value: `--server.http-port 9000` or `--server.http-port=9000`.
 * @throws UsageError for a missing value, for a value where none belongs and for an option of one dash.
 */
export function parseCommandLine(words: readonly string[], command: Command): CommandLine {
  const known = new Map(
    Object.keys(command.options).map((key) => [key.split("=")[0] as string, key.includes("=")]),
  );
  const positionals: string[] = [];
  const options = new Map<string, string>();
  const configFlags: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (!word.startsWith("--")) {
      if (/^-[A-Za-z]/.test(word)) throw new UsageError(`unknown option ${word}`);
      positionals.push(word);
      continue;
    }
    const equals = word.indexOf("=");
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const takesValue = known.get(name) ?? true;
    let value = equals < 0 ? undefined : word.slice(equals + 1);
    if (takesValue && value === undefined) {
      value = words[++i];
      if (value === undefined) throw new UsageError(`--${name} needs a value`);
    } else if (!takesValue && value !== undefined) {
      throw new UsageError(`--${name} takes no value, found ${JSON.stringify(value)}`);
    }
    if (known.has(name)) options.set(name, value ?? "");
    else configFlags.push(`--${name}=${value ?? ""}`);
  }
  return { positionals, options, configFlags };
}
