import { isMarkedAsUntransferable } from "node:worker_threads";
import { copyData } from "../../core/tensor/copy-data.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";

export interface PackedTensors {
  readonly tensors: Tensor[];
  /** Memory that moves with the message, each once; what shares it on this side is empty afterwards. */
  readonly transfers: ArrayBuffer[];
}

/**
 * Prepares tensors for postMessage so that their numbers move instead of being copied.
 *
 * What must not move is copied here, and the copy moves: postMessage would copy the whole ArrayBuffer of a view, a
 * body of megabytes for one row of it, and twice. Text is left to postMessage; shared memory stays where it is.
 * @param mayDetach the tensors' memory may move, as `isInputOwned` of the port says.
 */
export function packTensors(tensors: readonly Tensor[], mayDetach: boolean): PackedTensors {
  const transfers = new Set<ArrayBuffer>();
  const packed = tensors.map((tensor) => {
    if (Array.isArray(tensor.data)) return tensor;
    const { buffer } = tensor.data;
    if (buffer instanceof SharedArrayBuffer) return tensor;
    if (mayDetach && !isMarkedAsUntransferable(buffer)) {
      transfers.add(buffer);
      return tensor;
    }
    const copy = copyData(tensor.datatype, tensor.data);
    transfers.add(copy.buffer);
    return { ...tensor, data: copy };
  });
  return { tensors: packed, transfers: [...transfers] };
}
