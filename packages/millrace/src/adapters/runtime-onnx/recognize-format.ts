/** First bytes of files that people hand over in place of an ONNX file, with the way out. */
const SIGNATURES: readonly {
  readonly offset: number;
  readonly bytes: string;
  readonly is: string;
}[] = [
  {
    offset: 0,
    bytes: "version https://git-lfs",
    is: "a Git LFS pointer: run `git lfs pull` first",
  },
  { offset: 0, bytes: "\x89HDF\r\n", is: "an HDF5 file (Keras): convert it with tf2onnx" },
  {
    offset: 0,
    bytes: "PK\x03\x04",
    is: "a zip file (PyTorch, Keras, NumPy): export the model to ONNX",
  },
  { offset: 0, bytes: "\x93NUMPY", is: "a NumPy array" },
  { offset: 0, bytes: "\x1f\x8b", is: "gzip-compressed: unpack it first" },
  { offset: 0, bytes: "SQLite format 3", is: "an SQLite database" },
  { offset: 4, bytes: "TFL3", is: "a TensorFlow Lite file: convert it with tf2onnx" },
  { offset: 4, bytes: "ORTM", is: "an ORT-format file: use the .onnx file it was made from" },
  { offset: 8, bytes: '{"', is: "a safetensors file: it holds weights without a graph" },
  {
    offset: 0,
    bytes: "\x80",
    is: "a Python pickle: convert it with skl2onnx or torch.onnx.export",
  },
];

const TEXT_FORMATS: readonly { readonly start: RegExp; readonly is: string }[] = [
  { start: /^<(!doctype html|html)/i, is: "an HTML page: the download answered with a web page" },
  { start: /^</, is: "an XML file" },
  { start: /^[[{]/, is: "a JSON file" },
  { start: /^/, is: "a text file" },
];

/** Enough to tell text from binary. */
const SAMPLE_BYTES = 512;

/** @returns what a file that is no ONNX file looks like, as "…, it looks like <this>", if it is known. */
export function recognizeFormat(bytes: Uint8Array): string | undefined {
  const sample = Buffer.from(bytes.subarray(0, SAMPLE_BYTES)).toString("latin1");
  const signature = SIGNATURES.find((entry) => sample.startsWith(entry.bytes, entry.offset));
  if (signature !== undefined) return signature.is;
  if (!isText(sample)) return undefined;
  return TEXT_FORMATS.find((format) => format.start.test(sample.trimStart()))?.is;
}

function isText(sample: string): boolean {
  return sample.length > 0 && /^[\t\n\f\r\x20-\x7e\x80-\xff]*$/.test(sample);
}
