import type { LogBlock } from "../core/predictions/log-block.ts";
import type { SegmentId } from "../core/predictions/segment-name.ts";

/** How much of the log the disk can take; worse from left to right. */
export type DiskLevel = "all" | "no_payload" | "sampled" | "nothing";

export interface SegmentWriterEvents {
  /** The disk got fuller or emptier. @param reason for people. */
  level(level: DiskLevel, reason: string): void;
  /** Writing fails, and is tried again; said once until it works again. */
  failed(error: Error): void;
  recovered(): void;
}

export interface SegmentWriterUsage {
  readonly writtenBytes: number;
  readonly walBytes: number;
  /** Age of the oldest record that would be lost if the machine went down now, in milliseconds; 0 when none would. */
  readonly durableLagMs: number;
}

/**
 * Writes blocks into segments of this process, in the order they come. One that cannot be written now is tried again;
 * whoever gives the blocks bounds how many wait.
 */
export interface SegmentWriter {
  /**
   * Takes over the block and its memory. Never blocks the caller.
   * @returns when the block is in the segment, and for `durability: batch` on the disk. @throws when it never will be.
   */
  append(block: LogBlock): Promise<void>;
  /** What is written is on the disk when this resolves. */
  sync(): Promise<void>;
  /** What has happened so far, told by the writer every second. */
  readonly usage: SegmentWriterUsage;
  /** Writes and syncs what was given and ends the segment. */
  close(): Promise<void>;
}

export interface Segment {
  readonly id: SegmentId;
  /** Bytes there now; one that is still written grows. */
  readonly byteLength: number;
  /** Will nothing be added any more? */
  readonly isEnded: boolean;
  /** Has it ended without its writer ending it? What the writer had in memory is lost then. */
  readonly isUnclean: boolean;
  /** Of its last change, milliseconds since 1970-01-01 UTC. */
  readonly changedAtMs: number;
}

/** A block as it is found in a segment. */
export interface ReadBlock {
  readonly bytes: Uint8Array;
  readonly recordCount: number;
  /** Where the next one begins, bytes from the start of the segment. */
  readonly endOffset: number;
}

/** The segments of all writers, for whoever ships, asks and deletes them. */
export interface SegmentStore {
  /** By writer, table and number. */
  list(): Promise<readonly Segment[]>;
  /**
   * The whole blocks from an offset on; ends quietly before one that is not complete yet. What is damaged is left out:
   * a block with a wrong checksum is skipped and counted, and the damage is told.
   * @throws when the file is gone or cannot be read.
   */
  read(
    id: SegmentId,
    fromOffset: number,
    onDamage: (text: string) => void,
  ): AsyncIterable<ReadBlock>;
  /** Deletes it; fine when it is gone. */
  remove(id: SegmentId): Promise<void>;
}
