import { hashCodes } from "../rules/hash-unit.ts";

/** A part of the units that several experiments divide between them, [from, to) in 0 to 1. */
export interface NamespacePart {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/**
 * What a namespace divides units by. The underscores keep it apart from experiments of the same name, as in GrowthBook;
 * unlike there it goes into version 2 of the hash, in whose steps of 1/10,000 the part is told apart.
 */
export function namespaceSalt(name: string): string {
  return `__${name}`;
}

/**
 * Does a unit belong to the experiments of this part? The answer is the same for all experiments of the namespace, and
 * independent of how each of them divides its own units.
 * @param codes of the unit, as `UnitCodes` gives them. @param salt of `namespaceSalt`.
 */
export function isInPart(part: NamespacePart, salt: string, codes: Uint16Array): boolean {
  const place = hashCodes(salt, codes);
  return place >= part.from && place < part.to;
}
