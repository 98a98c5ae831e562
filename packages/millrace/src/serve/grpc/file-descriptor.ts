import {
  choice,
  encodeMessage,
  many,
  message,
  one,
  type EnumType,
  type Field,
  type Message,
  type MessageType,
  type ScalarType,
} from "../../core/protobuf/message-type.ts";
import { packageOf, type ServiceDescription } from "./service-description.ts";

/** The parts of protobuf's own `descriptor.proto` that describe proto3 files like ours. */
const EnumDescriptor = message("EnumDescriptorProto", {
  name: one(1, "string"),
  value: many(
    2,
    message("EnumValueDescriptorProto", {
      name: one(1, "string"),
      number: choice("set", 2, "int32"),
    }),
  ),
});
const FieldDescriptor = message("FieldDescriptorProto", {
  name: one(1, "string"),
  number: one(3, "int32"),
  label: one(4, "int32"),
  type: one(5, "int32"),
  type_name: one(6, "string"),
  oneof_index: choice("set", 9, "int32"),
});
const OneofDescriptor = message("OneofDescriptorProto", { name: one(1, "string") });
const MessageOptions = message("MessageOptions", { map_entry: one(7, "bool") });
const fieldsOfDescriptor: Record<string, Field> = {
  name: one(1, "string"),
  field: many(2, FieldDescriptor),
  enum_type: many(4, EnumDescriptor),
  options: one(7, MessageOptions),
  oneof_decl: many(8, OneofDescriptor),
};
const Descriptor = message("DescriptorProto", fieldsOfDescriptor);
fieldsOfDescriptor["nested_type"] = many(3, Descriptor);
const ServiceDescriptor = message("ServiceDescriptorProto", {
  name: one(1, "string"),
  method: many(
    2,
    message("MethodDescriptorProto", {
      name: one(1, "string"),
      input_type: one(2, "string"),
      output_type: one(3, "string"),
      client_streaming: one(5, "bool"),
      server_streaming: one(6, "bool"),
    }),
  ),
});
const FileDescriptor = message("FileDescriptorProto", {
  name: one(1, "string"),
  package: one(2, "string"),
  message_type: many(4, Descriptor),
  enum_type: many(5, EnumDescriptor),
  service: many(6, ServiceDescriptor),
  syntax: one(12, "string"),
});

const LABEL = { one: 1, many: 3, map: 3 } as const;
const TYPE_NUMBERS: Readonly<Record<ScalarType | "message" | "enum", number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  bool: 8,
  string: 9,
  message: 11,
  bytes: 12,
  uint32: 13,
  enum: 14,
};

export interface DescribedFile {
  readonly name: string;
  /** An encoded `FileDescriptorProto`. */
  readonly bytes: Buffer;
  /** Full names of everything in it. */
  readonly symbols: ReadonlySet<string>;
}

/** Describes a service as the .proto file that would define it and every message it uses. */
export function fileDescriptor(service: ServiceDescription): DescribedFile {
  const scope = packageOf(service);
  const types = new Map<string, MessageType | EnumType>();
  for (const { request, response } of Object.values(service.methods)) {
    collect(request, types);
    collect(response, types);
  }
  const symbols = new Set([...types.keys()].map((name) => `${scope}.${name}`)).add(service.name);
  const method = Object.entries(service.methods).map(([name, description]) => {
    symbols.add(`${service.name}.${name}`);
    const { request, response, takesStream, repliesStream } = description;
    return {
      name,
      input_type: `.${scope}.${request.name}`,
      output_type: `.${scope}.${response.name}`,
      client_streaming: takesStream ?? false,
      server_streaming: repliesStream ?? false,
    };
  });
  const bytes = encodeMessage(FileDescriptor, {
    name: service.file,
    package: scope,
    ...typesIn("", types, scope, { messages: "message_type", enums: "enum_type" }),
    service: [{ name: service.name.slice(scope.length + 1), method }],
    syntax: "proto3",
  });
  return { name: service.file, bytes, symbols };
}

function collect(type: Field["type"], types: Map<string, MessageType | EnumType>): void {
  if (typeof type === "string" || types.has(type.name)) return;
  types.set(type.name, type);
  if (type.kind === "enum") return;
  for (const field of Object.values(type.fields)) collect(field.type, types);
}

/** Descriptions of the types that stand directly in `parent`, under the member names that its descriptor has. */
function typesIn(
  parent: string,
  types: ReadonlyMap<string, MessageType | EnumType>,
  scope: string,
  members: { readonly messages: string; readonly enums: string },
): Message {
  const inside = [...types.values()].filter(({ name }) => parentOf(name) === parent);
  const messages = inside.filter((type) => type.kind === "message");
  const enums = inside.filter((type) => type.kind === "enum");
  return {
    [members.messages]: messages.map((type) => describeMessage(type, types, scope)),
    [members.enums]: enums.map(describeEnum),
  };
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf(".")));
}

function ownName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

function describeEnum({ name, values }: EnumType): Message {
  const value = Object.entries(values).map(([key, number]) => ({ name: key, number }));
  return { name: ownName(name), value };
}

function describeMessage(
  type: MessageType,
  types: ReadonlyMap<string, MessageType | EnumType>,
  scope: string,
): Message {
  const oneofs = [...new Set(Object.values(type.fields).flatMap(({ oneof }) => oneof ?? []))];
  const field = Object.entries(type.fields).map(([name, entry]) => {
    const described = describeField(name, entry, scope);
    if (entry.label === "map") {
      const type_name = `.${scope}.${type.name}.${entryName(name)}`;
      return { ...described, type: TYPE_NUMBERS.message, type_name };
    }
    if (entry.oneof === undefined) return described;
    return { ...described, oneof_index: oneofs.indexOf(entry.oneof) };
  });
  const members = { messages: "nested_type", enums: "enum_type" };
  const nested = typesIn(type.name, types, scope, members);
  const entries = Object.entries(type.fields)
    .filter(([, { label }]) => label === "map")
    .map(([name, entry]) => describeEntry(name, entry, scope));
  return {
    name: ownName(type.name),
    field,
    ...nested,
    nested_type: [...(nested["nested_type"] as Message[]), ...entries],
    oneof_decl: oneofs.map((name) => ({ name })),
  };
}

function describeField(name: string, { number, type, label }: Field, scope: string): Message {
  const facts = { name, number, label: LABEL[label] };
  if (typeof type === "string") return { ...facts, type: TYPE_NUMBERS[type] };
  return { ...facts, type: TYPE_NUMBERS[type.kind], type_name: `.${scope}.${type.name}` };
}

/** A map is a list of messages of this hidden type. */
function describeEntry(name: string, { type }: Field, scope: string): Message {
  const field = [
    describeField("key", one(1, "string"), scope),
    describeField("value", one(2, type), scope),
  ];
  return { name: entryName(name), field, options: { map_entry: true } };
}

/** `response_stats` → `ResponseStatsEntry` */
function entryName(field: string): string {
  const words = field.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join("")}Entry`;
}
