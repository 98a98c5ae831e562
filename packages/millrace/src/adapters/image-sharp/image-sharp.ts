import { createHash } from "node:crypto";
import type { ImageOptions, SourceStep, StepSources } from "../../ports/step-sources.ts";
import { DecodeGate } from "./decode-gate.ts";
import { ImageStep } from "./image-step.ts";
import { loadSharp, type SharpModule } from "./load-sharp.ts";

/** Of libuv's pool of four, which files, compression and name look-ups need as well. */
const THREADS_MAX = 3;

/** Counts changes of this code after which the same picture gives other values. */
const REVISION = 1;

export interface SharpImagesOptions {
  /** Cores this process may use: as many pictures are decoded at a time, at most 3. */
  readonly coreCount: number;
  /** Default: what is installed as `sharp`. */
  readonly importSharp?: () => Promise<{ readonly default: SharpModule }>;
}

/** Makes image steps that decode with sharp (libvips); it is loaded when the first one is made. */
export class SharpImages implements Pick<StepSources, "image"> {
  readonly #importSharp: () => Promise<{ readonly default: SharpModule }>;
  readonly #gate: DecodeGate;

  constructor({ coreCount, importSharp = () => import("sharp") }: SharpImagesOptions) {
    this.#importSharp = importSharp;
    this.#gate = new DecodeGate(Math.min(Math.max(1, coreCount), THREADS_MAX));
  }

  async image(name: string, options: ImageOptions): Promise<SourceStep> {
    const sharp = await loadSharp(this.#importSharp);
    return {
      step: new ImageStep(name, options, { sharp, gate: this.#gate }),
      digest: digestOf(options, sharp.versions.vips),
      close: () => Promise.resolve(), // what is being decoded ends by itself
    };
  }
}

function digestOf(options: ImageOptions, vips: string): string {
  const members = Object.entries(options).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify(["image", REVISION, vips, members]);
  return createHash("sha256").update(text).digest("hex");
}
