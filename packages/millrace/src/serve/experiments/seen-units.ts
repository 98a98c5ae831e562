import type { KeyedHash } from "../../core/predictions/redaction.ts";

/** Units of one experiment that are remembered, at most: some 10 MiB. */
const SEEN_UNITS_MAX = 50_000;

/** Longer names are remembered by their hash. */
const NAME_CHARACTERS_MAX = 128;

/** A unit that was seen by this process. */
export interface SeenUnit {
  /** 32 hexadecimal digits. */
  readonly hash: string;
  /** Phase of its last exposure that was told; 0 before the first one. */
  exposedPhase: number;
}

/**
 * The units that this process saw last, so that each is hashed and told of once and not with every request. Two
 * generations: when the young one is full it is the old one, and whoever was in neither is forgotten.
 */
export class SeenUnits {
  readonly #hash: KeyedHash;
  readonly #generationMax: number;
  #young = new Map<string, SeenUnit>();
  #old = new Map<string, SeenUnit>();

  constructor(hash: KeyedHash, countMax: number = SEEN_UNITS_MAX) {
    this.#hash = hash;
    this.#generationMax = Math.ceil(countMax / 2);
  }

  /** @param unit as the request names it. */
  of(unit: string): SeenUnit {
    const name = unit.length > NAME_CHARACTERS_MAX ? this.#hash(unit) : unit;
    const known = this.#young.get(name);
    if (known !== undefined) return known;
    const seen = this.#old.get(name) ?? this.#first(unit, name);
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(cutLoose(name), seen);
    return seen;
  }

  #first(unit: string, name: string): SeenUnit {
    return { hash: name === unit ? this.#hash(unit) : name, exposedPhase: 0 };
  }
}

/** A text that was cut out of a request keeps all of the request in memory; this is the same text alone. */
function cutLoose(text: string): string {
  return Buffer.from(text, "utf16le").toString("utf16le");
}
