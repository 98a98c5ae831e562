import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { TensorSpec } from "../core/tensor/tensor.ts";
import type { EjectionRules } from "../core/overload/ejection.ts";
import type { FunctionOptions, ImageOptions, RemoteOptions } from "../ports/step-sources.ts";
import type { SoftmaxConfig, SourceStepConfig, TopConfig } from "./config.ts";
import type { ProblemLog } from "./problem-log.ts";
import { readLabels } from "./read-model-files.ts";
import type { ConfigPath } from "./config-path.ts";
import type { WrittenImageStep, WrittenRemoteStep, WrittenWorkStep } from "./schema-work-step.ts";

interface WorkStepContext {
  /** Folder that relative paths start from. */
  readonly folder: string;
  readonly log: ProblemLog;
}

/** A step that is called so and written there. */
interface Place {
  readonly name: string;
  readonly at: ConfigPath;
}

/** A step that works on tensors, with absolute paths and label files read; reports files and addresses that are wrong. */
export async function resolveWorkStep(
  written: WrittenWorkStep,
  place: Place,
  context: WorkStepContext,
): Promise<SourceStepConfig | SoftmaxConfig | TopConfig> {
  if ("softmax" in written) return { ...place, kind: "softmax", axis: written.softmax };
  if ("top" in written) return { ...place, kind: "top", count: written.top };
  if ("image" in written) return { ...place, kind: "image", image: imageOptions(written) };
  if ("remote" in written) {
    return { ...place, kind: "remote", remote: await remoteOptions(written, place.at, context) };
  }
  const kind = "function" in written ? "function" : "load";
  const file = "function" in written ? written.function : written.load;
  const options: FunctionOptions = {
    path: await resolveCodeFile(file, [...place.at, kind], context),
    timeoutMs: written.timeout,
    threads: written.threads,
    queue: written.queue,
  };
  return { ...place, kind, function: options };
}

/** Absolute path of a file that is run; reports when it is not there. */
export async function resolveCodeFile(
  text: string,
  at: ConfigPath,
  { folder, log }: WorkStepContext,
): Promise<string> {
  const path = resolve(folder, text);
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) log.add(at, `file ${log.show(at)} does not exist`);
  else if (!facts.isFile()) log.add(at, `${log.show(at)} is not a file`);
  return path;
}

function imageOptions({ image }: WrittenImageStep): ImageOptions {
  const { width, height, fit, channels, layout, datatype, pixelsMax } = image;
  const channelCount = channels === "gray" ? 1 : 3;
  const perChannel = (value: number | readonly number[]) =>
    typeof value === "number" ? new Array<number>(channelCount).fill(value) : value;
  return {
    width,
    height,
    fit,
    channels,
    mean: perChannel(image.mean),
    std: perChannel(image.std),
    scale: image.scale ?? (datatype === "UINT8" ? 1 : 1 / 255),
    layout,
    datatype,
    pixelsMax,
    bytesMax: image.bytesMax,
  };
}

async function remoteOptions(
  written: WrittenRemoteStep,
  at: ConfigPath,
  context: WorkStepContext,
): Promise<RemoteOptions> {
  const { protocol, model, version, headers, concurrency } = written;
  const urls = addressesOf(written.remote, [...at, "remote"], context.log);
  checkProtocol(written, at, context.log);
  checkHedge(written, urls, at, context.log);
  return {
    urls,
    protocol,
    model,
    version,
    inputs: specsOf(written.inputs),
    outputs: specsOf(written.outputs),
    labels: await labelsOf(written.labels, [...at, "labels"], context),
    headers,
    timeoutMs: written.timeout,
    concurrency,
    replyBytesMax: written.replyMax,
    ejection: ejectionOf(written.ejection),
    hedge: written.hedge === "off" ? undefined : written.hedge,
  };
}

/** The addresses of the file; reports those that are none, and those that are there twice. */
function addressesOf(
  written: WrittenRemoteStep["remote"],
  at: ConfigPath,
  log: ProblemLog,
): readonly string[] {
  if (typeof written === "string") {
    checkAddress(written, at, log);
    return [written];
  }
  for (const [i, url] of written.entries()) {
    const place = [...at, i];
    checkAddress(url, place, log);
    if (written.indexOf(url) === i) continue;
    log.add(place, `found ${log.show(place)}, which is there already, expected each address once`);
  }
  return written;
}

function checkHedge(
  { hedge }: WrittenRemoteStep,
  urls: readonly string[],
  at: ConfigPath,
  log: ProblemLog,
): void {
  if (hedge === "off" || urls.length > 1) return;
  const message = "expected several addresses in remote: the second call goes to another one";
  log.add([...at, "hedge"], message);
}

function ejectionOf(written: WrittenRemoteStep["ejection"]): EjectionRules | undefined {
  if (written === "off") return undefined;
  const { failures, every, time, timeMax, shareMax, healthyMin } = written;
  return { failures, everyMs: every, timeMs: time, timeMsMax: timeMax, shareMax, healthyMin };
}

function checkAddress(text: string, at: ConfigPath, log: ProblemLog): void {
  const message = refusalOfAddress(text);
  if (message !== undefined) log.add(at, `found ${log.show(at)}, ${message}`);
}

/** Not every protocol can say which model and which version of it is meant. */
function checkProtocol(written: WrittenRemoteStep, at: ConfigPath, log: ProblemLog): void {
  const { protocol } = written;
  const unsaid = { oip: [], tensorflow: [], "kserve-v1": ["version"], json: ["model", "version"] };
  for (const key of unsaid[protocol]) {
    const path = [...at, key];
    if (written[key as "model" | "version"] === undefined) continue;
    log.add(path, `found ${log.show(path)}, expected none: protocol ${protocol} has no ${key}`);
  }
}

/** Why the address is not accepted; undefined when it is. */
function refusalOfAddress(text: string): string | undefined {
  const expected = "expected an http:// or https:// address with a host";
  if (!/^https?:\/\/[^/?#]/i.test(text) || !URL.canParse(text)) return expected;
  const { username, password, hash } = new URL(text);
  if (username !== "" || password !== "") {
    return "expected no name and password in it: use headers, such as authorization";
  }
  return hash === "" ? undefined : `expected an address without "#"`;
}

function specsOf(written: WrittenRemoteStep["inputs"]): readonly TensorSpec[] | undefined {
  if (written === undefined) return undefined;
  return Object.entries(written).map(([name, { datatype, shape }]) => ({ name, datatype, shape }));
}

async function labelsOf(
  written: WrittenRemoteStep["labels"],
  at: ConfigPath,
  { folder, log }: WorkStepContext,
): Promise<readonly string[] | undefined> {
  if (typeof written !== "string") return written;
  const labels = await readLabels(resolve(folder, written));
  if (labels.kind === "ok") return labels.value;
  log.add(at, `label file ${log.show(at)} ${labels.message}`);
  return undefined;
}
