import { JsonReader } from "../../core/json-reader.ts";
import { readModelMetadata, type ModelMetadata } from "../../core/tensor/read-model-metadata.ts";
import type { ProgramClient, ProgramReply } from "./program-client.ts";

export interface ProgramDescription extends ModelMetadata {
  /** Does it have the protocol's binary tensor extension? */
  readonly isBinary: boolean;
}

/** Longest time a program may take for each of two answers. */
const ANSWER_MS_MAX = 10_000;

const REASON_LENGTH_MAX = 200;

/** Asks a program for the tensors of its model. @throws an error that says what is wrong with its answer. */
export async function describeProgram(
  client: ProgramClient,
  path: string,
): Promise<ProgramDescription> {
  const metadata = readModelMetadata(await jsonOf(client, path));
  return { ...metadata, isBinary: hasBinary(await jsonOf(client, "/v2")) };
}

async function jsonOf(client: ProgramClient, path: string): Promise<Uint8Array> {
  const { status, json } = await answerOf(client, path);
  if (status === 200) return json;
  const said = new TextDecoder().decode(json.subarray(0, REASON_LENGTH_MAX)).trim();
  throw new Error(`GET ${path} answered ${status}${said === "" ? "" : `: ${said}`}`);
}

async function answerOf(client: ProgramClient, path: string): Promise<ProgramReply> {
  try {
    return await client.get(path, AbortSignal.timeout(ANSWER_MS_MAX));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : "unknown error";
    throw new Error(`GET ${path} failed: ${why}`, { cause });
  }
}

function hasBinary(json: Uint8Array): boolean {
  const value = new JsonReader(json).readValue();
  const isObject = typeof value === "object" && value !== null && "extensions" in value;
  const extensions = isObject ? (value as { readonly extensions: unknown }).extensions : undefined;
  return Array.isArray(extensions) && extensions.includes("binary_tensor_data");
}
