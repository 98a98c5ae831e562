import { PROBLEMS_MAX, type Problem } from "../../core/errors.ts";
import { outcomeOf, type StepOutcome } from "../../core/graph/step-outcome.ts";
import type { Step, StepContext } from "../../core/graph/step.ts";
import type { Tensor, TensorSpec } from "../../core/tensor/tensor.ts";
import type { ImageOptions } from "../../ports/step-sources.ts";
import type { DecodeGate } from "./decode-gate.ts";
import { DECODE_SECONDS_MAX, decodeImage } from "./decode-image.ts";
import { IMAGE_INPUT, imageProblem, invalidImages } from "./invalid-images.ts";
import type { SharpModule } from "./load-sharp.ts";
import { PixelWriter } from "./pixel-writer.ts";
import type { Pixels } from "./place-pixels.ts";
import { readBase64, readBase64Head } from "./read-base64.ts";
import { FORMATS_TEXT, recogniseFormat, type ImageFormat } from "./recognise-format.ts";
import { RunEnd } from "./run-end.ts";

/** Largest tensor that one request may ask for: pictures of a hundred bytes each become megabytes. */
const OUTPUT_BYTES_MAX = 268_435_456;

/** What all image steps of a process share. */
export interface ImageDecoder {
  readonly sharp: SharpModule;
  readonly gate: DecodeGate;
}

interface ImageRow {
  readonly row: number;
  readonly text: string;
  readonly format: ImageFormat;
}

/** Base64 text `image_data` `[batch]` becomes `image` `[batch, channel, height, width]`, or with the channel last. */
export class ImageStep implements Step {
  readonly name: string;
  readonly kind = "image";
  readonly inputs: readonly TensorSpec[] = [{ name: IMAGE_INPUT, datatype: "BYTES", shape: [-1] }];
  readonly outputs: readonly TensorSpec[];
  readonly prediction = 0;
  readonly labels = undefined;
  readonly score = 0;
  readonly #options: ImageOptions;
  readonly #decoder: ImageDecoder;
  readonly #writer: PixelWriter;

  constructor(name: string, options: ImageOptions, decoder: ImageDecoder) {
    this.name = name;
    this.#options = options;
    this.#decoder = decoder;
    this.#writer = new PixelWriter(options);
    const shape = [-1, ...this.#writer.shape];
    this.outputs = [{ name: "image", datatype: options.datatype, shape }];
  }

  /**
   * @throws INVALID_IMAGE, saying of which rows; OVERLOADED when too many pictures wait to be decoded;
   * DEADLINE_EXCEEDED, or the reason of the cancellation, at once: what is being decoded then is finished and dropped.
   */
  async run(inputs: readonly Tensor[], context: StepContext): Promise<StepOutcome> {
    const texts = (inputs[0] as Tensor).data as readonly string[];
    this.#checkCount(texts.length);
    const images = recogniseAll(texts);
    const writer = this.#writer;
    const data = writer.allocate(images.length);
    await this.#decodeAll(images, context, ({ row }, { pixels, bandCount }) => {
      writer.write(pixels, bandCount, data, row * writer.elementCount);
    });
    const { name, datatype } = this.outputs[0] as TensorSpec;
    return outcomeOf([{ name, datatype, shape: [images.length, ...writer.shape], data }]);
  }

  #checkCount(count: number): void {
    const imageBytes = this.#writer.elementCount * this.#writer.elementBytes;
    const countMax = Math.max(1, Math.floor(OUTPUT_BYTES_MAX / imageBytes));
    if (count <= countMax) return;
    const message = `found ${count} pictures, limit is ${countMax} of this size in one request`;
    throw invalidImages([{ location: ["body", IMAGE_INPUT], message, type: "size" }]);
  }

  /** As many at a time as there are places, each when it is its turn among those of all requests. */
  async #decodeAll(
    images: readonly ImageRow[],
    context: StepContext,
    take: (image: ImageRow, decoded: Pixels) => void,
  ): Promise<void> {
    const { gate } = this.#decoder;
    const end = new RunEnd(context);
    const rest = images.values();
    const decodeRest = async (): Promise<void> => {
      for (const image of rest) {
        await gate.enter(end.cancellation);
        const decoding = this.#decode(image, context).finally(() => gate.leave());
        take(image, await end.orEarlier(decoding));
      }
    };
    const laneCount = Math.min(gate.placesMax, images.length);
    try {
      await Promise.all(Array.from({ length: laneCount }, decodeRest));
    } catch (error) {
      end.cancellation.cancel(error); // the other lanes need not go on
      throw error;
    } finally {
      end.close();
    }
  }

  async #decode(
    { row, text, format }: ImageRow,
    { clock, deadlineAtMs }: StepContext,
  ): Promise<Pixels> {
    const reading = readBase64(text);
    if (reading.kind === "unreadable") throw invalidImages([notAnImage(row, reading.found)]);
    const { bytes } = reading;
    const { bytesMax } = this.#options;
    if (bytes.length > bytesMax) {
      const message = `found ${bytes.length} bytes, limit is ${bytesMax}`;
      throw invalidImages([imageProblem(row, message, "size")]);
    }
    const remainingSeconds = Math.ceil((deadlineAtMs - clock.nowMs()) / 1_000);
    const secondsMax = Math.min(DECODE_SECONDS_MAX, Math.max(1, remainingSeconds));
    const decoding = await decodeImage(
      this.#decoder.sharp,
      { bytes, format },
      this.#options,
      secondsMax,
    );
    if (decoding.kind === "pixels") return decoding;
    throw invalidImages([imageProblem(row, decoding.message, decoding.type)], decoding.cause);
  }
}

/** @throws INVALID_IMAGE when any text is something else by its first bytes: before a pixel is decoded. */
function recogniseAll(texts: readonly string[]): readonly ImageRow[] {
  const images: ImageRow[] = [];
  const problems: Problem[] = [];
  for (const [row, text] of texts.entries()) {
    const recognition = recogniseFormat(readBase64Head(text));
    if (recognition.kind === "image") images.push({ row, text, format: recognition.format });
    else if (problems.length < PROBLEMS_MAX) {
      const reading = readBase64(text);
      const { found } = reading.kind === "unreadable" ? reading : recognition;
      problems.push(notAnImage(row, found));
    }
  }
  if (problems.length > 0) throw invalidImages(problems);
  return images;
}

function notAnImage(row: number, found: string): Problem {
  return imageProblem(row, `found ${found}, expected ${FORMATS_TEXT}`, "image");
}
