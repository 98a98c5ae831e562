import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";
import { expect, test } from "vitest";
import {
  decodeMessage,
  encodeMessage,
  many,
  message,
  type Field,
  type Message,
  type MessageType,
} from "../../core/protobuf/message-type.ts";
import { TestRandom } from "../../core/test-random.ts";
import { fileDescriptor } from "./file-descriptor.ts";
import { INFERENCE_SERVICE, type InferenceMethod } from "./inference-service.ts";
import { LOADER_OPTIONS, loadOracle, oracleOf } from "./test-oracle.ts";

const METHODS = Object.keys(INFERENCE_SERVICE.methods) as InferenceMethod[];
const ORACLE = loadOracle();

/** What a client gets that knows only our reflection. */
function reflected(): ReturnType<typeof loadOracle> {
  const { bytes } = fileDescriptor(INFERENCE_SERVICE);
  const set = message("FileDescriptorSet", { file: many(1, "bytes") });
  return loadFileDescriptorSetFromBuffer(encodeMessage(set, { file: [bytes] }), LOADER_OPTIONS);
}

function randomText(random: TestRandom): string {
  return random.pick(["", "a", "iris", "größe", "漢字", "0".repeat(200), "\u0000", "🙂"]);
}

function randomValue(random: TestRandom, type: Field["type"], depth: number): unknown {
  if (typeof type === "object") {
    if (type.kind === "message") return randomMessage(random, type, depth + 1);
    return random.pick(Object.keys(type.values) as [string]);
  }
  switch (type) {
    case "string":
      return randomText(random);
    case "bytes":
      return Buffer.from(randomText(random));
    case "bool":
      return random.next() < 0.5;
    case "float":
      return Math.fround(random.pick([0, -0, 1.5, Infinity, 1e-40, random.next()]));
    case "double":
      return random.pick([0, -1.5, Infinity, 5e-324, random.next()]);
    case "int32":
      return random.pick([0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 127, 128]);
    case "uint32":
      return random.pick([0, 1, 127, 128, 2 ** 32 - 1]);
    case "int64":
      return random.pick([0, 1, -1, 2 ** 32, -(2 ** 40), Number.MAX_SAFE_INTEGER]);
    case "uint64":
      return random.pick([0, 1, 2 ** 28, 2 ** 35, Number.MAX_SAFE_INTEGER]);
  }
}

function randomMessage(random: TestRandom, type: MessageType, depth = 0): Message {
  const value: Record<string, unknown> = {};
  const chosen = new Set<string>();
  for (const [name, field] of Object.entries(type.fields)) {
    if (random.next() < 0.3 || depth > 4) continue;
    if (field.oneof !== undefined && chosen.has(field.oneof)) continue;
    if (field.oneof !== undefined) chosen.add(field.oneof);
    const one = (): unknown => randomValue(random, field.type, depth);
    if (field.label === "many") value[name] = Array.from({ length: random.below(4) }, one);
    else if (field.label === "map") value[name] = { key: one(), ["größe"]: one() };
    else value[name] = one();
  }
  return value;
}

/** Both decoders' results in one form: maps as objects, whole numbers as numbers, nothing that is empty. */
function plain(value: unknown): unknown {
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "string" && /^-?\d{1,16}$/.test(value)) return Number(value);
  if (typeof value !== "object" || value === null) return value === 0 ? 0 : value;
  const entries = Object.entries(value)
    .filter(([key]) => !key.endsWith("_choice"))
    .map(([key, member]) => [key, plain(member)] as const)
    .filter(([, member]) => !isEmpty(member));
  return Object.fromEntries(entries);
}

/** protobufjs reads a map that it knows from a descriptor as a list of its entries. */
function withMaps(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (!Array.isArray(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, withMaps(member)]),
    );
  }
  const entries = value as readonly { readonly key?: string; readonly value?: unknown }[];
  const isMap = entries.every((entry) => entry.key === "key" || entry.key === "größe");
  if (!isMap) return value.map(withMaps);
  return Object.fromEntries(entries.map((entry) => [entry.key, withMaps(entry.value)]));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === 0 || value === false || value === "") return true;
  if (value === "TYPE_INVALID" || value === "REJECT" || value === "KIND_AUTO") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

test.each(METHODS)("the messages of %s are those of docs/inference.proto, both ways", (method) => {
  const seed = Date.now() % 1e9;
  const random = new TestRandom(seed);
  const oracle = oracleOf(ORACLE, method);
  const types = INFERENCE_SERVICE.methods[method];
  for (let round = 0; round < 100; round++) {
    for (const side of ["request", "response"] as const) {
      const value = randomMessage(random, types[side]);
      const hint = `seed ${seed}, round ${round}, ${side}`;
      const ours = encodeMessage(types[side], value);
      expect(plain(oracle[side].decode(ours)), `${hint}`).toEqual(plain(value));
      const theirs = oracle[side].encode(value);
      expect(plain(decodeMessage(types[side], theirs)), `${hint}`).toEqual(plain(value));
    }
  }
});

test.each(METHODS)("reflection describes %s as docs/inference.proto does", (method) => {
  const seed = Date.now() % 1e9;
  const random = new TestRandom(seed);
  const fromReflection = oracleOf(reflected(), method);
  const fromFile = oracleOf(ORACLE, method);
  for (let round = 0; round < 50; round++) {
    for (const side of ["request", "response"] as const) {
      const value = randomMessage(random, INFERENCE_SERVICE.methods[method][side]);
      const bytes = fromFile[side].encode(value);
      const expected = plain(fromFile[side].decode(bytes));
      expect(plain(withMaps(fromReflection[side].decode(bytes))), `seed ${seed}`).toEqual(expected);
    }
  }
});
