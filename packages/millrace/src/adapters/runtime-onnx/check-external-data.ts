import { realpath, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { ModelFileError } from "./model-file-error.ts";

/** With this location onnxruntime takes the offset for an address in its own memory: never from a file. */
const MEMORY_ADDRESS_TAG = "_ORT_MEM_ADDR_";

/**
 * Refuses a model that names weights outside its own folder: a model from elsewhere could otherwise read any
 * file of this machine into its outputs. onnxruntime 1.30 has the same rule; ours names the file and the model.
 * @param locations as written in the model.
 * @returns the size of all files together, in bytes.
 * @throws ModelFileError when a location is absolute, contains `..`, is a link that leads out, or is no file.
 */
export async function checkExternalData(
  modelPath: string,
  locations: readonly string[],
): Promise<number> {
  let bytes = 0;
  for (const location of locations) {
    refuseUnsafeName(location);
    bytes += await sizeInsideFolder(dirname(modelPath), location);
  }
  return bytes;
}

function refuseUnsafeName(location: string): void {
  // A backslash separates folders on Windows, where the same model file would escape.
  const steps = location.split(/[/\\]/);
  if (isAbsolute(location) || /^[A-Za-z]:/.test(location) || steps[0] === "") {
    throw unsafe(location, "is not a relative path");
  }
  if (steps.includes("..")) throw unsafe(location, "leads out of the model's folder");
  // U+FFFD stands for bytes that are no UTF-8: onnxruntime would open another name than the one checked here.
  if (/[\0\uFFFD]/.test(location))
    throw unsafe(location, "has a character no file name should have");
  if (location.includes(MEMORY_ADDRESS_TAG)) throw unsafe(location, "is a memory address");
}

async function sizeInsideFolder(folder: string, location: string): Promise<number> {
  const realFolder = await realpath(folder);
  let realFile: string;
  try {
    realFile = await realpath(join(folder, location));
  } catch (error) {
    throw unsafe(location, "is not there", error);
  }
  const prefix = realFolder.endsWith(sep) ? realFolder : realFolder + sep;
  if (!realFile.startsWith(prefix)) {
    throw unsafe(location, "is a link that leads out of the model's folder");
  }
  const found = await stat(realFile);
  if (!found.isFile()) throw unsafe(location, "is not a file");
  return found.size;
}

function unsafe(location: string, why: string, cause?: unknown): ModelFileError {
  return new ModelFileError(
    `its external data "${location}" ${why}; it must be a file inside the model's folder`,
    { cause },
  );
}
