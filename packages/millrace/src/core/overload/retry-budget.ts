/** Share of the active requests that may have a further call under way, and how many always may. */
const BUDGET_SHARE = 0.2;
const EXTRA_MIN = 3;

/** Shares such as 0.2 are not quite that in binary. */
const ROUNDING = 1e-9;

/** Why a further call is made: after one that failed, or beside one that is slow. */
type ExtraKind = "retry" | "hedge";

/** Calls made and not made, since the beginning. */
export interface ExtraCounts {
  readonly retry: number;
  readonly hedge: number;
  /** Of both kinds: the budget was used up. */
  readonly denied: number;
}

/**
 * How many further calls one service may have under way, beside the first ones of its requests: a fifth of its active
 * requests, and three always. Where everything fails, every request would else become as many calls as it has retries,
 * just when there is no room for them.
 */
export class RetryBudget {
  #active = 0;
  #extra = 0;
  readonly #counts = { retry: 0, hedge: 0, denied: 0 };

  /** A request has begun; `end` is called once for it. */
  begin(): void {
    this.#active++;
  }

  end(): void {
    this.#active--;
  }

  /** Further calls that may be under way now. */
  get limit(): number {
    return Math.max(EXTRA_MIN, Math.floor(BUDGET_SHARE * this.#active + ROUNDING));
  }

  /** Further calls under way. */
  get extra(): number {
    return this.#extra;
  }

  get counts(): ExtraCounts {
    return this.#counts;
  }

  /** Leave for one further call; give it back when that has ended. @returns false when there is none. */
  tryTake(kind: ExtraKind): boolean {
    if (this.#extra >= this.limit) {
      this.#counts.denied++;
      return false;
    }
    this.#extra++;
    this.#counts[kind]++;
    return true;
  }

  giveBack(): void {
    this.#extra--;
  }
}
