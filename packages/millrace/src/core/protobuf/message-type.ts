import { ProtobufError, WIRE, WireReader } from "./wire-reader.ts";

/** Types of single values; whole numbers of 64 bits are numbers here, so at most ±(2^53 − 1). */
export type ScalarType =
  "string" | "bytes" | "bool" | "int32" | "uint32" | "int64" | "uint64" | "float" | "double";

export interface Field {
  readonly number: number;
  readonly type: ScalarType | EnumType | MessageType;
  readonly label: "one" | "many" | "map";
  /** Name of the oneof it belongs to: it is written even when it is 0, "" or false. */
  readonly oneof?: string;
}

/** Names of an enum's values, by number. */
export interface EnumType {
  readonly kind: "enum";
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
}

/** A message as its fields, by name. Names inside another message have a dot: `ModelMetadataResponse.TensorMetadata`. */
export interface MessageType {
  readonly kind: "message";
  readonly name: string;
  readonly fields: Readonly<Record<string, Field>>;
}

/** A decoded message, or one to encode: plain data under the names of the fields. */
export type Message = Readonly<Record<string, unknown>>;

/** Messages inside messages; a request that nests deeper is no request of ours. */
const DEPTH_MAX = 32;

export function message(name: string, fields: Readonly<Record<string, Field>>): MessageType {
  return { kind: "message", name, fields };
}

export function one(number: number, type: Field["type"]): Field {
  return { number, type, label: "one" };
}

export function many(number: number, type: Field["type"]): Field {
  return { number, type, label: "many" };
}

/** A map from strings. */
export function map(number: number, type: Field["type"]): Field {
  return { number, type, label: "map" };
}

export function choice(oneof: string, number: number, type: Field["type"]): Field {
  return { number, type, label: "one", oneof };
}

/**
 * Encodes rare messages by their table; what is undefined or its type's zero is left out, as proto3 does.
 * Members that the type does not have are left out too: what REST prints may say more.
 */
export function encodeMessage(type: MessageType, value: Message): Buffer {
  const parts: Buffer[] = [];
  for (const [name, field] of Object.entries(type.fields)) {
    const member = value[name];
    if (member === undefined) continue;
    if (field.label === "many") encodeMany(field, member as readonly unknown[], parts);
    else if (field.label === "map") encodeMap(field, member as Message, parts);
    else if (field.oneof !== undefined || !isZero(member)) encodeOne(field, member, parts);
  }
  return Buffer.concat(parts);
}

function isZero(value: unknown): boolean {
  return value === 0 || value === "" || value === false;
}

function encodeMany(field: Field, values: readonly unknown[], parts: Buffer[]): void {
  if (!isPacked(field)) {
    for (const value of values) encodeOne(field, value, parts);
    return;
  }
  if (values.length === 0) return;
  const packed = Buffer.concat(values.map((value) => encodeValue(field, value)));
  parts.push(varint(field.number * 8 + WIRE.bytes), varint(packed.length), packed);
}

function encodeMap(field: Field, entries: Message, parts: Buffer[]): void {
  const type = entryType(field);
  for (const [key, value] of Object.entries(entries)) {
    const entry = encodeMessage(type, { key, value });
    parts.push(varint(field.number * 8 + WIRE.bytes), varint(entry.length), entry);
  }
}

/** A map on the wire is a list of messages with a key and a value. */
function entryType(field: Field): MessageType {
  return message("Entry", { key: one(1, "string"), value: one(2, field.type) });
}

function encodeOne(field: Field, value: unknown, parts: Buffer[]): void {
  parts.push(varint(field.number * 8 + wireTypeOf(field)));
  const encoded = encodeValue(field, value);
  if (wireTypeOf(field) === WIRE.bytes) parts.push(varint(encoded.length));
  parts.push(encoded);
}

function wireTypeOf({ type }: Field): number {
  if (type === "double") return WIRE.fixed64;
  if (type === "float") return WIRE.fixed32;
  if (type === "string" || type === "bytes") return WIRE.bytes;
  if (typeof type === "object" && type.kind === "message") return WIRE.bytes;
  return WIRE.varint;
}

function isPacked(field: Field): boolean {
  return field.label === "many" && wireTypeOf(field) !== WIRE.bytes;
}

function encodeValue({ type }: Field, value: unknown): Buffer {
  if (typeof type === "object") {
    if (type.kind === "message") return encodeMessage(type, value as Message);
    return varint(type.values[value as string] ?? 0);
  }
  switch (type) {
    case "string":
      return Buffer.from(value as string);
    case "bytes":
      return value as Buffer;
    case "double":
      return Buffer.from(Float64Array.of(value as number).buffer);
    case "float":
      return Buffer.from(Float32Array.of(value as number).buffer);
    default:
      return varint(Number(value));
  }
}

/** A whole number; negative ones take ten bytes, as protobuf's plain integers do. */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

/**
 * Decodes a rare message by its table: every field is there, with its zero when the bytes have none; a field of
 * a oneof and a message are undefined then. Unknown fields are skipped.
 * @throws ProtobufError
 */
export function decodeMessage(type: MessageType, bytes: Uint8Array): Message {
  return readMessage(type, new WireReader(bytes), 0);
}

function readMessage(type: MessageType, reader: WireReader, depth: number): Message {
  if (depth > DEPTH_MAX) throw new ProtobufError(`messages are nested deeper than ${DEPTH_MAX}`);
  const value: Record<string, unknown> = {};
  const byNumber = new Map<number, readonly [string, Field]>();
  for (const entry of Object.entries(type.fields)) {
    byNumber.set(entry[1].number, entry);
    value[entry[0]] = initialValue(entry[1]);
  }
  while (reader.offset < reader.end) {
    const tag = reader.tag();
    const [name, field] = byNumber.get(tag >>> 3) ?? [];
    if (name === undefined || field === undefined) reader.skip(tag);
    else readField({ name, field, tag, depth }, value, reader);
  }
  return value;
}

function initialValue({ type, label, oneof }: Field): unknown {
  if (label === "many") return [];
  if (label === "map") return new Map<string, unknown>();
  if (oneof !== undefined) return undefined;
  if (typeof type === "object") return type.kind === "enum" ? nameOf(type, 0) : undefined;
  if (type === "string") return "";
  if (type === "bytes") return Buffer.alloc(0);
  return type === "bool" ? false : 0;
}

interface FieldAt {
  readonly name: string;
  readonly field: Field;
  readonly tag: number;
  readonly depth: number;
}

function readField(
  { name, field, tag, depth }: FieldAt,
  message: Record<string, unknown>,
  reader: WireReader,
): void {
  const isPackedRun = isPacked(field) && (tag & 7) === WIRE.bytes;
  const expected = field.label === "map" || isPackedRun ? WIRE.bytes : wireTypeOf(field);
  if ((tag & 7) !== expected) {
    throw new ProtobufError(`field ${name} has wire type ${tag & 7}, not ${expected}`);
  }
  if (field.label === "map") {
    const outerEnd = reader.enter();
    const { key, value } = readMessage(entryType(field), reader, depth + 1);
    reader.leave(outerEnd);
    (message[name] as Map<string, unknown>).set(key as string, value);
  } else if (isPackedRun) {
    const outerEnd = reader.enter();
    const values = message[name] as unknown[];
    while (reader.offset < reader.end) values.push(readValue(field, reader, depth));
    reader.leave(outerEnd);
  } else if (field.label === "many") {
    (message[name] as unknown[]).push(readValue(field, reader, depth));
  } else message[name] = readValue(field, reader, depth);
}

function readValue({ type }: Field, reader: WireReader, depth: number): unknown {
  if (typeof type === "object") {
    if (type.kind === "enum") return nameOf(type, reader.int32());
    const outerEnd = reader.enter();
    const value = readMessage(type, reader, depth + 1);
    reader.leave(outerEnd);
    return value;
  }
  switch (type) {
    case "string":
      return reader.text();
    case "bytes":
      return reader.view();
    case "bool":
      return reader.bool();
    case "int32":
      return reader.int32();
    case "uint32":
      return reader.uint32();
    case "float":
      return reader.float();
    case "double":
      return reader.double();
    case "int64":
    case "uint64":
      return reader.safeInteger();
  }
}

function nameOf({ values }: EnumType, number: number): string | number {
  for (const [name, value] of Object.entries(values)) if (value === number) return name;
  return number;
}
