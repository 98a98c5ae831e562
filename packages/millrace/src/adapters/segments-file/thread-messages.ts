import type { LogBlock } from "../../core/predictions/log-block.ts";
import type { DiskLevel, SegmentWriterUsage } from "../../ports/segments.ts";
import type { SegmentWriterSettings } from "./local-segment-writer.ts";

/** What a writing thread is started with. */
export interface ThreadStart extends SegmentWriterSettings {
  readonly writer: string;
}

/** What it is told. */
export type ThreadOrder =
  /** The memory of the block has moved to the thread. */
  | { readonly kind: "append"; readonly id: number; readonly block: LogBlock }
  | { readonly kind: "sync"; readonly id: number }
  /** Write what there is, and end. */
  | { readonly kind: "close" };

/** What it answers. */
export type ThreadReport =
  /** Appends and syncs that are done. */
  | { readonly kind: "done"; readonly ids: readonly number[] }
  | { readonly kind: "refused"; readonly id: number; readonly why: string }
  | { readonly kind: "usage"; readonly usage: SegmentWriterUsage }
  | { readonly kind: "level"; readonly level: DiskLevel; readonly reason: string }
  | { readonly kind: "failed"; readonly why: string }
  | { readonly kind: "recovered" };
