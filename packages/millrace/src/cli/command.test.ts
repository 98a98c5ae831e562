import { describe, expect, it } from "vitest";
import { parseCommandLine, UsageError, type Command, type CommandLine } from "./command.ts";

const COMMAND = {
  options: { "rate=500": "", "keepalive[=false]": "", quiet: "", "header=NAME: VALUE": "" },
} as unknown as Command;

function parse(words: string, hasOwnFlags = true): CommandLine {
  return parseCommandLine(words.split(" "), { ...COMMAND, hasOwnFlags });
}

describe("parseCommandLine()", () => {
  it("takes options of one dash where the command does", () => {
    const { options, positionals } = parse("iris -rate 500 -quiet --keepalive -1 -");
    expect(Object.fromEntries(options)).toEqual({ rate: "500", quiet: "", keepalive: "" });
    expect(positionals).toEqual(["iris", "-1", "-"]);
    expect(parse("-rate=500").options.get("rate")).toBe("500");
    expect(() => parse("-rate 500", false)).toThrow(new UsageError("unknown option -rate"));
  });

  it("takes a value only behind an equals sign where there may be one", () => {
    expect(parse("-keepalive=false x").options.get("keepalive")).toBe("false");
    expect(parse("-keepalive false").positionals).toEqual(["false"]);
  });

  it("keeps every value of an option, and the last one as its value", () => {
    const { options, values } = parse("--header=a --rate=1 -header b");
    expect(values.get("header")).toEqual(["a", "b"]);
    expect(options.get("header")).toBe("b");
  });

  it("leaves other flags, with their values, to the configuration", () => {
    const { configFlags } = parse("--server.http-port 9000 --name=x", false);
    expect(configFlags).toEqual(["--server.http-port=9000", "--name=x"]);
  });

  it("knows no value of a flag that a command with flags of its own does not have", () => {
    expect(parse("-lazy iris")).toMatchObject({
      positionals: ["iris"],
      configFlags: ["--lazy="],
    });
  });

  it.each([
    ["--rate", "--rate needs a value"],
    ["--quiet=yes", '--quiet takes no value, found "yes"'],
    ["--server.host", "--server.host needs a value"],
  ])("refuses %s", (words, message) => {
    expect(() => parse(words, false)).toThrow(new UsageError(message));
  });
});
