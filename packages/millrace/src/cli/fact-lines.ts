import { wrapText } from "./wrap-text.ts";

/** A name and what there is to say; undefined says nothing. */
export type FactLine = readonly [name: string, text: string | undefined];

const NAME_CHARACTERS = 11;

/** Facts, one below the other, with their texts in lines of at most `width`; those that say nothing are left out. */
export function factLines(facts: readonly FactLine[], width: number): readonly string[] {
  return facts.flatMap(([name, text]) => {
    if (text === undefined || text === "") return [];
    const lines = text.split("\n").flatMap((line) => wrapText(line, width - NAME_CHARACTERS - 1));
    return lines.map(
      (line, index) => `${(index === 0 ? name : "").padEnd(NAME_CHARACTERS)} ${line}`,
    );
  });
}
