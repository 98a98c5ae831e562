import { allocate, type Datatype, type TensorData } from "./datatype.ts";

/** @returns numbers in memory of their own. Not `slice`: that of a Buffer is a view. */
export function copyData(
  datatype: Datatype,
  data: Exclude<TensorData, string[]>,
): Uint8Array<ArrayBuffer> {
  const copy = allocate(datatype, data.length) as Uint8Array<ArrayBuffer>; // stands for every kind of number
  copy.set(data as Uint8Array);
  return copy;
}
