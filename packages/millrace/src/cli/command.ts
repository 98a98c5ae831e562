/** What a command has of the outside world; tests give it their own. */
export interface CommandIo {
  readonly stdout: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    /** Characters of a line; undefined where it is no terminal. */
    readonly columns?: number;
  };
  readonly stderr: {
    write(text: string): unknown;
    readonly isTTY?: boolean;
    /** Characters of a line, and lines; undefined where it is no terminal. */
    readonly columns?: number;
    readonly rows?: number;
  };
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
  /**
   * Options of this command: name without dashes → what it does. With `=VALUE` in the name it takes one, with
   * `[=VALUE]` it may.
   */
  readonly options: Readonly<Record<string, string>>;
  /** Its flags are none of the configuration, and one dash will do: `-rate 500`. */
  readonly hasOwnFlags?: boolean;
  readonly examples: readonly string[];
  run(line: CommandLine, io: CommandIo): Promise<ExitCode>;
}

export interface CommandLine {
  readonly positionals: readonly string[];
  /** Value of an option of the command; "" for one that takes none. */
  readonly options: ReadonlyMap<string, string>;
  /** Every value of an option that was given, in order; `options` has the last one. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** All other flags, as written: keys of the configuration. */
  readonly configFlags: readonly string[];
}

/** Wrong use of a command: printed with a hint at its help, exit 2. */
export class UsageError extends Error {}

/**
 * Splits the words behind the command's name. A flag that is not an option of the command is a key of the
 * configuration and takes a value: `--server.http-port 9000` or `--server.http-port=9000`.
 * @throws UsageError for a missing value, for a value where none belongs, and for an option of one dash where the
 * command does not take it.
 */
export function parseCommandLine(words: readonly string[], command: Command): CommandLine {
  const known = new Map(Object.keys(command.options).map(optionOf));
  const ofOthers = command.hasOwnFlags === true ? "maybe one" : "a value";
  const isFlag = command.hasOwnFlags === true ? /^--?[A-Za-z]/ : /^--/;
  const positionals: string[] = [];
  const values = new Map<string, string[]>();
  const configFlags: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (!isFlag.test(word)) {
      if (/^-[A-Za-z]/.test(word)) throw new UsageError(`unknown option ${word}`);
      positionals.push(word);
      continue;
    }
    const { name, value, isNextUsed } = readFlag(
      word,
      words[i + 1],
      (flag) => known.get(flag) ?? ofOthers,
    );
    if (isNextUsed) i++;
    if (!known.has(name)) configFlags.push(`--${name}=${value}`);
    else values.set(name, [...(values.get(name) ?? []), value]);
  }
  const options = new Map(Array.from(values, ([name, given]) => [name, given.at(-1) ?? ""]));
  return { positionals, options, values, configFlags };
}

interface Flag {
  readonly name: string;
  readonly value: string;
  /** Its value is the next word. */
  readonly isNextUsed: boolean;
}

function readFlag(word: string, next: string | undefined, takesOf: (name: string) => Takes): Flag {
  const equals = word.indexOf("=");
  const name = word.slice(0, equals < 0 ? undefined : equals).replace(/^--?/, "");
  const takes = takesOf(name);
  const value = equals < 0 ? undefined : word.slice(equals + 1);
  if (takes === "none" && value !== undefined) {
    throw new UsageError(`--${name} takes no value, found ${JSON.stringify(value)}`);
  }
  if (takes !== "a value" || value !== undefined) {
    return { name, value: value ?? "", isNextUsed: false };
  }
  if (next === undefined) throw new UsageError(`--${name} needs a value`);
  return { name, value: next, isNextUsed: true };
}

type Takes = "a value" | "maybe one" | "none";

/** `rate=500` takes a value, `keepalive[=false]` may take one, `quiet` takes none. */
function optionOf(key: string): readonly [name: string, takes: Takes] {
  const [name = key] = key.split(/\[?=/, 1);
  const rest = key.slice(name.length);
  if (rest.startsWith("[")) return [name, "maybe one"];
  return [name, rest === "" ? "none" : "a value"];
}
