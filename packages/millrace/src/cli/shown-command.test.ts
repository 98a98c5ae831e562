import { describe, expect, it } from "vitest";
import { parseCommandLine, type Command } from "./command.ts";
import { LOAD_OPTIONS } from "./load-options.ts";
import { shownCommand } from "./shown-command.ts";

function shown(...words: readonly string[]): string {
  const command = { options: LOAD_OPTIONS, hasOwnFlags: true } as unknown as Command;
  return shownCommand("load", parseCommandLine(words, command));
}

describe("shownCommand()", () => {
  it("can be typed again", () => {
    expect(
      shown("iris", "-rate=500", "--slo", "p99<50ms,errors<0.1%", "-quiet", "--name", "it's"),
    ).toBe(
      String.raw`millrace load iris --rate 500 --slo 'p99<50ms,errors<0.1%' --quiet --name 'it'\''s'`,
    );
  });

  it("leaves out what may be secret", () => {
    const words =
      "https://me:SECRET@host/a?b=1&token=SECRET#SECRET|--header|Authorization: Bearer SECRET";
    const others = "--header|x-api-key:SECRET|--header|content-type: text/csv";
    const text = shown(...`${words}|${others}`.split("|"));
    expect(text).toBe(
      "millrace load 'https://…@host/a?b=1&token=…' --header 'Authorization: …' --header 'x-api-key: …' --header 'content-type: text/csv'",
    );
  });
});
