import { didYouMean } from "../config/did-you-mean.ts";
import { UsageError, type Command, type CommandLine } from "./command.ts";

/** For a command whose flags are its own. @throws UsageError that names the option that was probably meant. */
export function refuseUnknown({ configFlags }: CommandLine, options: Command["options"]): void {
  const [flag] = configFlags;
  if (flag === undefined) return;
  const name = flag.slice(2).replace(/=.*$/s, "");
  const known = Object.keys(options).map((key) => key.replace(/\[?=.*$/s, ""));
  const nearest = didYouMean(name, known);
  const hint = nearest === undefined ? "" : `; did you mean --${nearest}?`;
  throw new UsageError(`unknown option --${name}${hint}`);
}
