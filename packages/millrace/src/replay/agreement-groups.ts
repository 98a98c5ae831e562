import { agreementOf } from "./agreement-of.ts";
import type { AgreementGroup } from "./replay-report.ts";

/** Groups of one kind; what belongs to more of them is `other`. */
const GROUPS_MAX = 200;
/** Labels of the candidate that are told apart in a group, and that are shown of it. */
const LABELS_MAX = 100;
const LABELS_SHOWN = 3;

const OTHER = "other";

export interface ComparedRow {
  readonly isAgreed: boolean;
  /** The candidate failed. */
  readonly isFailed: boolean;
  /** What the candidate said; undefined where it failed, names no class, or it does not matter. */
  readonly became: string | undefined;
}

interface Group {
  compared: number;
  agreed: number;
  failed: number;
  readonly became: Map<string, number>;
}

/** Counts agreement by hour or by label. */
export class AgreementGroups {
  readonly #groups = new Map<string, Group>();

  add(name: string, { isAgreed, isFailed, became }: ComparedRow): void {
    const group = this.#group(name);
    group.compared++;
    if (isAgreed) group.agreed++;
    if (isFailed) group.failed++;
    if (isAgreed || became === undefined) return;
    const known = group.became.has(became) || group.became.size < LABELS_MAX ? became : OTHER;
    group.became.set(known, (group.became.get(known) ?? 0) + 1);
  }

  #group(name: string): Group {
    const known = this.#groups.has(name) || this.#groups.size < GROUPS_MAX ? name : OTHER;
    const group = this.#groups.get(known) ?? {
      compared: 0,
      agreed: 0,
      failed: 0,
      became: new Map<string, number>(),
    };
    this.#groups.set(known, group);
    return group;
  }

  /** By name, `other` last. */
  list(): readonly AgreementGroup[] {
    return [...this.#groups]
      .toSorted(([a], [b]) => Number(a === OTHER) - Number(b === OTHER) || (a < b ? -1 : 1))
      .map(([name, { compared, agreed, failed, became }]) => ({
        name,
        ...agreementOf(agreed, compared),
        failed,
        ...(became.size === 0 ? {} : { became: mostOf(became) }),
      }));
  }
}

function mostOf(became: ReadonlyMap<string, number>): NonNullable<AgreementGroup["became"]> {
  return [...became]
    .map(([label, rows]) => ({ label, rows }))
    .toSorted((a, b) => b.rows - a.rows)
    .slice(0, LABELS_SHOWN);
}
