import type { JsonValue } from "../../packages/millrace/src/core/json.ts";
import { readBlock } from "../../packages/millrace/src/core/predictions/block-reader.ts";
import type {
  PredictionSink,
  SinkBatch,
} from "../../packages/millrace/src/ports/prediction-sink.ts";

/** A batch as a sink got it. */
export interface TakenBatch {
  /** `<writer>/<table>/<number>` */
  readonly segment: string;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly ids: readonly string[];
}

/** A sink that remembers what it is given, and does what a test wants before it takes it. */
export class RecordingSink implements PredictionSink {
  readonly name: string;
  readonly unit: PredictionSink["unit"];
  readonly taken: TakenBatch[] = [];
  openedWith: JsonValue | undefined;
  /** Called with each batch; what it throws is what `write` throws. */
  before: (batch: TakenBatch, signal: AbortSignal) => Promise<void> | void = () => undefined;

  constructor(name: string, unit: PredictionSink["unit"]) {
    this.name = name;
    this.unit = unit;
  }

  get counts(): PredictionSink["counts"] {
    return { rows: this.ids.length, unreadable: 0 };
  }

  get ids(): readonly string[] {
    return this.taken.flatMap(({ ids }) => ids);
  }

  open(state: JsonValue | undefined): Promise<void> {
    this.openedWith = state;
    return Promise.resolve();
  }

  async write(batch: SinkBatch, signal: AbortSignal): Promise<JsonValue> {
    const { writer, table, number } = batch.segment;
    const ids: string[] = [];
    for await (const { bytes } of batch.blocks()) {
      if (table === "predictions") ids.push(...readBlock(bytes).map((one) => one.predictionId));
    }
    const { fromOffset, toOffset } = batch;
    const taken = { segment: `${writer}/${table}/${number}`, fromOffset, toOffset, ids };
    await this.before(taken, signal);
    this.taken.push(taken);
    return { batches: this.taken.length };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
