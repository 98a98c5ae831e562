import { z } from "zod";
import { DATATYPES, type Datatype } from "../core/tensor/datatype.ts";
import { DAY, duration, headerName, isSound, name, path, share, size } from "./schema-values.ts";

/** Most values of a pixel: red, green, blue. */
const CHANNELS_MAX = 3;

const DATATYPE_NAMES = Object.keys(DATATYPES) as [Datatype, ...Datatype[]];

/** Every step that is an object may have one. */
export const stepName = name.optional().meta({
  description: "What it is called in `map`, in metrics and by `explain`; absent: what it is.",
});

/** A file whose default export does something. */
export const codeFile = z
  .string()
  .regex(/[^/]\.m?[jt]s$/)
  .meta({ kind: "codeFile" });

const perChannel = z
  .union([z.number(), z.array(z.number()).min(1).max(CHANNELS_MAX)])
  .meta({ range: `a number, or a list of 1 to ${CHANNELS_MAX} numbers` });

const image = z
  .strictObject({
    width: z.int().min(1).max(16_384).meta({ unit: "pixels", description: "Width it is given." }),
    height: z.int().min(1).max(16_384).meta({ unit: "pixels", description: "Height it is given." }),
    fit: z.enum(["fill", "cover", "contain"]).default("fill").meta({
      description:
        "Where the proportions differ: `fill` distorts, `cover` cuts, `contain` leaves black borders.",
    }),
    channels: z
      .enum(["rgb", "bgr", "gray"])
      .default("rgb")
      .meta({ description: "Channels of a pixel and their order." }),
    scale: z.number().positive().optional().meta({
      range: "a number above 0",
      description:
        "Factor of each value 0 to 255; absent: 1/255, so that values are 0 to 1, and 1 for UINT8.",
    }),
    mean: perChannel.default(0).meta({
      description:
        "Taken off after `scale`, for all channels or for each: (value × scale − mean) / std.",
      examples: [[0.485, 0.456, 0.406]],
    }),
    std: perChannel
      .refine((std) => [std].flat().every((value) => value > 0))
      .default(1)
      .meta({
        range: "a number above 0, or a list of them",
        description: "Divides after `mean`, for all channels or for each.",
        examples: [[0.229, 0.224, 0.225]],
      }),
    layout: z.enum(["nchw", "nhwc"]).default("nchw").meta({
      description: "Order of the axes: batch, channel, height, width, or the channel last.",
    }),
    datatype: z
      .enum(["FP32", "UINT8"])
      .default("FP32")
      .meta({ description: "Of the tensor; UINT8 are the values 0 to 255 as they are." }),
    pixelsMax: z.int().min(1).max(268_402_689).default(50_000_000).meta({
      unit: "pixels",
      description: "Largest picture before it is resized; a larger one is refused undecoded.",
    }),
    bytesMax: size("1KiB", "256MiB")
      .prefault("16MiB")
      .meta({ description: "Largest picture as it comes, compressed." }),
  })
  .superRefine(checkChannels, { when: isSound });

/** `{ image: { width: 224, height: 224 } }` */
const imageStep = z
  .strictObject({
    image: image.meta({
      description: "Decodes JPEG, PNG or WebP, resizes and normalises: an image becomes a tensor.",
      examples: [{ width: 224, height: 224 }],
    }),
    name: stepName,
  })
  .meta({ tellingKey: "image" });

/** What functions of the user have in common. */
const functionKeys = {
  timeout: duration("1ms", DAY)
    .prefault("1s")
    .meta({ description: "A call that takes longer is ended, with its thread." }),
  threads: z.int().min(1).max(64).default(1).meta({
    unit: "threads",
    description: "Threads that run it side by side in each process.",
  }),
  queue: z.int().min(0).max(100_000).default(100).meta({
    unit: "calls",
    description: "Calls that wait for a thread; one more is refused.",
  }),
  name: stepName,
};

/** `{ function: ./prepare.ts }` */
const functionStep = z
  .strictObject({
    function: codeFile.meta({
      description: "File whose default export is `defineStep({ inputs, outputs, run })`.",
      examples: ["./prepare.ts"],
    }),
    ...functionKeys,
  })
  .meta({ tellingKey: "function" });

/** `{ load: ./features.ts }` */
const loadStep = z
  .strictObject({
    load: codeFile.meta({
      description: "File as of `function` that fetches data by a key; what it gives can be cached.",
      examples: ["./features.ts"],
    }),
    ...functionKeys,
  })
  .meta({ tellingKey: "load" });

const extent = z
  .int()
  .min(-1)
  .max(Number.MAX_SAFE_INTEGER)
  .meta({ range: "a whole number, or -1 for any" });

/** Tensors by name. */
const specs = z
  .record(
    z.string().min(1),
    z.strictObject({
      datatype: z.enum(DATATYPE_NAMES).meta({ description: "Of its elements." }),
      shape: z
        .array(extent)
        .min(1)
        .max(16)
        .meta({ description: "Extents, the rows first; -1 is any.", examples: [[-1, 4]] }),
    }),
  )
  .optional();

const address = z.string().min(1).meta({ kind: "address" });

/** Most servers of a remote step: each has series of metrics. */
const ADDRESSES_MAX = 64;

const ejection = z.strictObject({
  failures: z.int().min(1).max(10_000).default(5).meta({
    unit: "calls",
    description: "Calls in a row that fail: no connection, a reset, no answer in time, 5xx.",
  }),
  time: duration("1ms", DAY).prefault("30s").meta({
    description: "How long it is left alone: the second time in a row twice as long, and so on.",
  }),
  timeMax: duration("1ms", DAY).prefault("300s").meta({ description: "Longest such time." }),
  every: duration("1ms", DAY).prefault("10s").meta({
    description: "Time in use after which the next such time is shorter again by one `time`.",
  }),
  shareMax: share().prefault("10%").meta({
    description: "Share of the servers that are left alone at a time, at most; one may always be.",
  }),
  healthyMin: share().prefault("50%").meta({
    description: "When fewer of them are in use, all are used.",
  }),
});

const hedge = z.strictObject({
  after: z.union([z.literal("p95"), duration("1ms", DAY)]).meta({
    range: "`p95`, or a duration from 1 ms to 1 day",
    description:
      "Time without an answer after which it is asked; `p95`: as long as 95 % of the latest answers took.",
    examples: ["p95", "50ms"],
  }),
});

/** `{ remote: http://10.0.0.7:8501, protocol: tensorflow, model: resnet }` */
const remoteStep = z
  .strictObject({
    remote: z.union([address, z.array(address).min(1).max(ADDRESSES_MAX)]).meta({
      range: `an address, or a list of 1 to ${ADDRESSES_MAX} of them`,
      description:
        "Address of another server: its root, or with `protocol: json` the address that is posted to. A list: of servers that do the same, of which the one with the least to do is asked.",
      examples: ["http://10.0.0.7:8501", ["http://10.0.0.7:8501", "http://10.0.0.8:8501"]],
    }),
    protocol: z.enum(["oip", "tensorflow", "kserve-v1", "json"]).default("oip").meta({
      description:
        "What it speaks: Open Inference Protocol, TensorFlow Serving's REST, KServe V1, or plain JSON.",
    }),
    model: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .meta({ description: "Name of the model there; absent: the address names it." }),
    version: z
      .union([z.string().min(1).max(128), z.int().min(0).max(Number.MAX_SAFE_INTEGER)])
      .transform(String)
      .optional()
      .meta({ description: "Version of the model there; absent: the server's choice." }),
    inputs: specs.meta({
      description: "Tensors it takes, for servers that do not say it.",
      examples: [{ x: { datatype: "FP32", shape: [-1, 4] } }],
    }),
    outputs: specs.meta({ description: "Tensors it gives, for servers that do not say it." }),
    labels: z
      .union([z.array(z.string()).min(1), path])
      .optional()
      .meta({ description: "Names of the classes: a list, or a file as for `labels` of a model." }),
    headers: z
      .record(
        headerName,
        z
          .string()
          .regex(/^[\t\x20-\x7e]*$/)
          .meta({ kind: "headerText", secret: true }),
      )
      .default({})
      .meta({ secret: true, description: "Sent with every request, such as `authorization`." }),
    timeout: duration("1ms", DAY)
      .prefault("1s")
      .meta({ description: "Longest time it may take to answer." }),
    concurrency: z.int().min(1).max(10_000).default(64).meta({
      unit: "requests",
      description:
        "Requests under way at a time from each process to each server; one more is refused.",
    }),
    ejection: z
      .union([z.literal("off"), ejection])
      .prefault({})
      .meta({
        description:
          "When one of several servers is left alone for a while, because it fails again and again.",
        examples: ["off", { failures: 3, time: "10s" }],
      }),
    hedge: z
      .union([z.literal("off"), hedge])
      .prefault("off")
      .meta({
        description:
          "When a second server is asked beside one that is slow; the quicker answer counts. Needs several addresses.",
        examples: [{ after: "p95" }],
      }),
    replyMax: size("1KiB", "1GiB")
      .prefault("16MiB")
      .meta({ description: "Largest reply; a larger one fails the step." }),
    name: stepName,
  })
  .meta({ tellingKey: "remote" });

/** `{ softmax: -1 }` */
const softmaxStep = z
  .strictObject({
    softmax: z
      .int()
      .min(-16)
      .max(16)
      .refine((axis) => axis !== 0)
      .meta({
        range: "the number of an axis: 1 to 16, or -1 for the last one; 0 counts the rows",
        description: "Turns scores into probabilities along this axis.",
      }),
    name: stepName,
  })
  .meta({ tellingKey: "softmax" });

/** `{ top: 5 }` */
const topStep = z
  .strictObject({
    top: z
      .int()
      .min(1)
      .max(100_000)
      .meta({ unit: "classes", description: "Keeps the classes with the largest scores." }),
    name: stepName,
  })
  .meta({ tellingKey: "top" });

/** A step that works on tensors, not on other steps. */
export const workStep = z.union([
  imageStep,
  functionStep,
  loadStep,
  remoteStep,
  softmaxStep,
  topStep,
]);

export type WrittenWorkStep = z.output<typeof workStep>;
export type WrittenImageStep = z.output<typeof imageStep>;
export type WrittenRemoteStep = z.output<typeof remoteStep>;

/** What `checkChannels` looks at. */
interface WrittenImage {
  readonly channels: "rgb" | "bgr" | "gray";
  readonly datatype: "FP32" | "UINT8";
  readonly scale?: number | undefined;
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
}

/** A list has a value for each channel, and values 0 to 255 leave no room for others. */
function checkChannels(written: WrittenImage, context: z.RefinementCtx<WrittenImage>): void {
  const channelCount = written.channels === "gray" ? 1 : CHANNELS_MAX;
  for (const key of ["mean", "std"] as const) {
    const value = written[key];
    if (!Array.isArray(value) || value.length === channelCount) continue;
    const message = `found ${value.length} numbers, expected ${channelCount}: one for each channel of ${written.channels}`;
    context.addIssue({ code: "custom", input: written, path: [key], message });
  }
  if (written.datatype !== "UINT8") return;
  const neutral = { scale: 1, mean: 0, std: 1 } as const;
  for (const key of ["scale", "mean", "std"] as const) {
    const value = written[key] ?? neutral[key];
    if ([value].flat().every((one) => one === neutral[key])) continue;
    const message = `UINT8 are the values 0 to 255 as they are, expected no ${key}`;
    context.addIssue({ code: "custom", input: written, path: [key], message });
  }
}
