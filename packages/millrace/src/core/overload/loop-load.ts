export interface LoopLoadOptions {
  /** Latency in milliseconds from the moment a client sends, that answers are to keep. Default 100. */
  readonly objectiveMs?: number;
  /**
   * Most of a turn's time that refusals may take, from 0 to 1; the others wait unanswered. Default 0.9: refuse
   * at once, and let answers have a tenth in any case. The price of either end is in the comment of `LoopLoad`.
   */
  readonly refusalShareMax?: number;
  /** Requests left unanswered from one turn to the next; above it refusals go beyond their share. Default 4096. */
  readonly heldMax?: number;
}

/** What to do in this turn; the object is used again for the next one. */
export interface TurnPlan {
  /** Requests to answer, in order of arrival, of those that are new in this turn. */
  readonly answers: number;
  /** Requests to refuse, oldest first; the remaining ones are held. */
  readonly refusals: number;
}

/**
 * Share of the objective that a turn may last. A request that comes just after the sockets were read waits for the
 * whole turn and then is answered at the end of the next, so its answer is two turns old: 0.6, and the rest is
 * for the way to the client and for what else the process does.
 */
const TURN_SHARE_MAX = 0.3;

/**
 * Turns of an overload that goes on are halved down to this share. Clients with n connections send at most n requests
 * a turn; were turns long, that alone could be less than is due, and the rest would wait where nobody sees it.
 */
const TURN_SHARE_MIN = 0.1;

/**
 * Requests over which a cost is averaged. Before so many were answered nothing is refused: a process that has
 * just begun takes many times as long, and would refuse because of what it no longer does.
 */
const HORIZON = 1_000;

/** A turn counts as at most so many times as dear as the mean: a pause of the garbage collector is not a cost. */
const OUTLIER_MAX = 4;

/** A refusal costs at least and at most so many answers; before any was measured it is taken for the second. */
const REFUSAL_COST_MIN = 0.05;
const REFUSAL_COST_MAX = 0.8;

/**
 * Decides how many of the requests that one turn of the event loop has read are answered, when reading, answering and
 * writing itself is the bottleneck: a model of 5 µs behind 15 µs of HTTP. Nothing that runs after a body was
 * parsed can help there; what is refused has to be refused by its head alone, with a prepared answer.
 *
 * **The estimate.** The mean cost of an answer c and of a refusal d, from the time each took in a turn. A turn that
 * would last longer than 0.3 × the objective is cut to that, the following ones to 0.1 ×: with m requests, k answers and
 * m − k refusals, k · c + (m − k) · d = turn. So in a steady overload of ρ times the capacity, answers reach
 * (1 − ρ·d/c) / (1 − d/c) of capacity: at ρ = 2, 89 % where a refusal costs 0.1 of an answer, 57 % at 0.3, 33 % at
 * 0.4, nothing at 0.5.
 *
 * **Refuse or hold.** A request that is held, neither answered nor refused, costs nothing, and its connection
 * brings no other. That gives answers nearly all of the time, but clients then wait for a free connection *before* they
 * send, where no server can see it. If they wait longer than the objective (a pool's usual seconds) every request
 * that arrives is late already, and goodput is 0 at full throughput; if they give up after a few milliseconds, 90 %
 * and more. Refusing at once keeps connections free and arrivals fresh. Both are stable, no measurement at the server
 * tells them apart, and refusing never falls to 0 as long as d < c/ρ: so it is the default. See
 * benchmarks/overload-simulator.
 *
 * Pure and O(1): the caller reads the clock, counts, and says what took how long.
 */
export class LoopLoad {
  readonly #objectiveMs: number;
  readonly #refusalShareMax: number;
  readonly #heldMax: number;
  /** What the next turn may last. */
  #turnMs: number;
  #answerMs = 0;
  #answersSeen = 0;
  #refusalMs = 0;
  #refusalsSeen = 0;
  readonly #plan = { answers: 0, refusals: 0 };

  constructor(options: LoopLoadOptions = {}) {
    this.#objectiveMs = options.objectiveMs ?? 100;
    this.#turnMs = TURN_SHARE_MAX * this.#objectiveMs;
    this.#refusalShareMax = options.refusalShareMax ?? 0.9;
    this.#heldMax = options.heldMax ?? 4096;
  }

  /** Mean time of an answer, all that a request costs the loop; 0 before the first turn. */
  get answerMs(): number {
    return this.#answerMs;
  }

  /** Mean time of a refusal, within what is believable beside an answer. */
  get refusalMs(): number {
    const measuredMs = this.#refusalsSeen === 0 ? Infinity : this.#refusalMs;
    return clamp(measuredMs, REFUSAL_COST_MIN * this.#answerMs, REFUSAL_COST_MAX * this.#answerMs);
  }

  /**
   * Plans a turn. Answers all when that fits, which is one multiplication.
   * @param fresh requests read in this turn. @param held requests left over from earlier turns.
   */
  plan(fresh: number, held: number): TurnPlan {
    const isCold = this.#answersSeen < HORIZON;
    if (isCold || (held === 0 && fresh * this.#answerMs <= this.#turnMs)) {
      this.#plan.answers = fresh;
      this.#plan.refusals = 0;
      this.#turnMs = Math.min(2 * this.#turnMs, TURN_SHARE_MAX * this.#objectiveMs);
    } else {
      this.#planOverload(fresh, held);
      this.#turnMs = Math.max(this.#turnMs / 2, TURN_SHARE_MIN * this.#objectiveMs);
    }
    return this.#plan;
  }

  /**
   * Learns from a turn.
   * @param answersMs all the turn's busy time but for the refusals. @param refusalsMs time spent on refusing.
   */
  record(answers: number, answersMs: number, refusals: number, refusalsMs: number): void {
    if (answers > 0) {
      this.#answersSeen += answers;
      this.#answerMs = mean(this.#answerMs, this.#answersSeen, answersMs / answers, answers);
    }
    if (refusals > 0) {
      this.#refusalsSeen += refusals;
      this.#refusalMs = mean(this.#refusalMs, this.#refusalsSeen, refusalsMs / refusals, refusals);
    }
  }

  #planOverload(fresh: number, held: number): void {
    const all = fresh + held;
    const refusalMs = this.refusalMs;
    const budgetMs = this.#refusalShareMax * this.#turnMs;
    // Answers and refusals that fill the turn and leave nobody over.
    const exact = (this.#turnMs - all * refusalMs) / (this.#answerMs - refusalMs);
    const least = (this.#turnMs - budgetMs) / this.#answerMs;
    const answers = Math.max(1, Math.floor(Math.max(exact, least)));
    this.#plan.answers = Math.min(fresh, answers);
    const left = all - this.#plan.answers;
    const affordable = Math.floor(budgetMs / refusalMs);
    this.#plan.refusals = Math.min(left, Math.max(affordable, left - this.#heldMax));
  }
}

/** Plain mean of the first `HORIZON`, exponential after them. @param seen how many there are, the newest included. */
function mean(old: number, seen: number, newest: number, count: number): number {
  const bounded = old > 0 && seen > HORIZON ? Math.min(newest, OUTLIER_MAX * old) : newest;
  return old + Math.min(1, count / Math.min(seen, HORIZON)) * (bounded - old);
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}
