import { expect, test } from "vitest";
import sharp from "sharp";
import type { ImageOptions } from "../../ports/step-sources.ts";
import { SharpImages } from "./image-sharp.ts";
import type { SharpModule } from "./load-sharp.ts";
import { imageOptions } from "./test-images.ts";

test("image() says how to install sharp when it is not there", async () => {
  const importSharp = () =>
    Promise.reject<{ default: SharpModule }>(new Error("Cannot find module"));
  const images = new SharpImages({ coreCount: 1, importSharp });
  await expect(images.image("prepare", imageOptions())).rejects.toMatchObject({
    code: "MODEL_LOAD_FAILED",
    message: expect.stringMatching(/install sharp: npm install sharp$/) as string,
  });
});

test("SharpImages loads nothing until the first step is made", async () => {
  let count = 0;
  const importSharp = () => {
    count++;
    return Promise.resolve({ default: sharp });
  };
  const images = new SharpImages({ coreCount: 1, importSharp });
  expect(count).toBe(0);
  await images.image("prepare", imageOptions());
  expect(count).toBe(1);
});

test("image() keeps sharp's cache and threads small", async () => {
  sharp.cache({ memory: 50, items: 100 });
  sharp.concurrency(2);
  await new SharpImages({ coreCount: 8 }).image("prepare", imageOptions());
  expect(sharp.cache()).toMatchObject({ memory: { max: 0 }, items: { max: 0 } });
  expect(sharp.concurrency()).toBe(1);
});

test("image() tells what goes in and comes out", async () => {
  const images = new SharpImages({ coreCount: 1 });
  const { step } = await images.image(
    "prepare",
    imageOptions({ width: 5, height: 4, layout: "nchw" }),
  );
  expect([step.name, step.kind, step.inputs, step.outputs]).toEqual([
    "prepare",
    "image",
    [{ name: "image_data", datatype: "BYTES", shape: [-1] }],
    [{ name: "image", datatype: "FP32", shape: [-1, 3, 4, 5] }],
  ]);
  const gray = imageOptions({ width: 5, height: 4, channels: "gray", datatype: "UINT8" });
  const { step: other } = await images.image("prepare", gray);
  expect(other.outputs).toEqual([{ name: "image", datatype: "UINT8", shape: [-1, 4, 5, 1] }]);
});

test("image() gives another digest when any option is another", async () => {
  const images = new SharpImages({ coreCount: 1 });
  const digestOf = async (options: ImageOptions) => (await images.image("a", options)).digest;
  const changes: Partial<ImageOptions>[] = [
    { width: 3 },
    { height: 3 },
    { fit: "cover" },
    { channels: "bgr" },
    { mean: [0, 0, 1] },
    { std: [1, 1, 2] },
    { scale: 2 },
    { layout: "nchw" },
    { datatype: "UINT8" },
    { pixelsMax: 9 },
    { bytesMax: 9 },
  ];
  const digests = await Promise.all(
    [{}, ...changes].map((change) => digestOf(imageOptions(change))),
  );
  expect(new Set(digests).size).toBe(digests.length);
  const { width, ...rest } = imageOptions();
  expect(await digestOf({ ...rest, width })).toBe(digests[0]); // whatever the order of the members
});
