import type { TestRandom } from "../../packages/millrace/src/core/test-random.ts";

/** A value as JSON has it, with whole numbers of any size. */
export type JsonLike =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly JsonLike[]
  | { readonly [name: string]: JsonLike };

/** Scalars at the ends of every range, and what is no JSON at all. */
const SCALARS: readonly [string, ...string[]] = [
  "0",
  "-0",
  "1.5",
  "-1",
  "128",
  "256",
  "65536",
  "2147483648",
  "4294967296",
  "9007199254740993",
  "9223372036854775807",
  "9223372036854775808",
  "-9223372036854775809",
  "18446744073709551616",
  "1e308",
  "1e309",
  "-1e400",
  "1e-400",
  "1E+2",
  "1e99999999999999999999",
  "3.4028236e38",
  "NaN",
  "Infinity",
  "-Infinity",
  "01",
  "+1",
  ".5",
  "1.",
  "1e",
  "0x10",
  "-",
  "true",
  "false",
  "null",
  "nul",
  "undefined",
  '""',
  '"a"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\ud83e\\udd8a"',
  '"\\x"',
  '"\\u12"',
  '"\xff\xfe"',
  '"\xc3\xa9"',
  '"\x01"',
  '"unterminated',
  "'single'",
  "[]",
  "{}",
  "[[]]",
  "[{}]",
  '{"":""}',
  "",
  ",",
  "/**/1",
];

const NAMES: readonly [string, ...string[]] = [
  "",
  "__proto__",
  "constructor",
  "data",
  "inputs",
  "outputs",
  "name",
  "shape",
  "datatype",
  "parameters",
  "binary_data_size",
  "binary_data",
  "binary_data_output",
  "classification",
  "shared_memory_region",
  "sequence_id",
  "priority",
  "timeout",
  "id",
  "\xff",
  "\\ud800",
];

/**
 * Writes `value` as JSON in which about every 1/`rate`-th part is something else: another scalar, an array too
 * deep, a member twice, without its value or under another name. @returns bytes, one per character.
 */
export function nastyJson(random: TestRandom, value: JsonLike, rate: number): string {
  if (random.next() < rate) return nasty(random, value);
  if (typeof value === "string") return Buffer.from(JSON.stringify(value)).toString("latin1");
  if (typeof value !== "object" || value === null) return String(value);
  if (isList(value)) {
    return `[${value.map((element) => nastyJson(random, element, rate)).join(",")}]`;
  }
  const members: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    const isWrong = random.next() < rate;
    const fate = isWrong ? random.below(4) : 4;
    if (fate === 0) continue;
    const written = nastyJson(random, member, rate);
    if (fate === 1) members.push(`"${name}":${written}`);
    members.push(`"${fate === 2 ? random.pick(NAMES) : name}"${fate === 3 ? "" : ":"}${written}`);
  }
  return `{${members.join(",")}}`;
}

function nasty(random: TestRandom, value: JsonLike): string {
  switch (random.below(8)) {
    case 0:
      return deep(random.pick([2, 33, 64, 99, 100, 101, 129, 1_000, 20_000]), random);
    case 1:
      return `[${nastyJson(random, value, 0)}]`;
    case 2:
      return `"${"x".repeat(random.pick([127, 128, 129, 255, 4_096, 65_536]))}"`;
    case 3:
      return "9".repeat(random.pick([19, 20, 40, 309, 5_000]));
    case 4: {
      const count = random.pick([0, 1, 2, 63, 64, 65, 1_000, 20_000]);
      return `[${"1,".repeat(count)}1]`;
    }
    default:
      return random.pick(SCALARS);
  }
}

function deep(levels: number, random: TestRandom): string {
  const isObject = random.below(3) === 0;
  const open = isObject ? '{"a":' : "[";
  const close = isObject ? "}" : "]";
  return open.repeat(levels) + "1" + (random.below(4) === 0 ? "" : close.repeat(levels));
}

function isList(value: object): value is readonly JsonLike[] {
  return Array.isArray(value);
}
