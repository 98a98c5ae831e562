import type { Tensor } from "../../core/tensor/tensor.ts";
import { nestedJson, rowJson } from "../../core/tensor/write-json.ts";

/** Text of an input with this end of its name is sent as base64, as TensorFlow Serving takes bytes. */
const BYTES_SUFFIX = "_bytes";

/** A tensor as nested arrays. */
type WriteTensor = (tensor: Tensor) => string;

/** Row by row: the bare rows of a single input, `{"name": row}` for each row of several. */
export function instancesJson(inputs: readonly Tensor[], isTensorflow: boolean): string {
  const written = isTensorflow ? inputs.map(withBase64) : inputs;
  const [only, second] = written;
  if (only !== undefined && second === undefined) return valuesJson(only, nestedJson);
  const rowCount = only?.shape[0] ?? 0;
  const names = written.map(({ name }) => JSON.stringify(name));
  let json = "";
  for (let row = 0; row < rowCount; row++) {
    const members = written.map((tensor, i) => {
      return `${names[i] as string}:${valuesJson(tensor, (each) => rowJson(each, row))}`;
    });
    json += `${row === 0 ? "" : ","}{${members.join(",")}}`;
  }
  return `[${json}]`;
}

/** Input by input: `{"name": rows}`. */
export function columnsJson(inputs: readonly Tensor[], isTensorflow: boolean): string {
  const written = isTensorflow ? inputs.map(withBase64) : inputs;
  const members = written.map((tensor) => {
    return `${JSON.stringify(tensor.name)}:${valuesJson(tensor, nestedJson)}`;
  });
  return `{${members.join(",")}}`;
}

interface Base64Tensor extends Tensor {
  readonly isBase64: true;
}

function withBase64(tensor: Tensor): Tensor | Base64Tensor {
  const { name, datatype, data } = tensor;
  if (datatype !== "BYTES" || !name.endsWith(BYTES_SUFFIX)) return tensor;
  const texts = data as readonly string[];
  const encoded = texts.map((text) => Buffer.from(text).toString("base64"));
  return { ...tensor, data: encoded, isBase64: true };
}

/** Nothing in base64 is escaped in JSON, so what stands between two quotes is one element. */
function valuesJson(tensor: Tensor | Base64Tensor, write: WriteTensor): string {
  const json = write(tensor);
  return "isBase64" in tensor ? json.replaceAll(/"[^"]*"/g, '{"b64":$&}') : json;
}
