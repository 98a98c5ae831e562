export interface LoopLoadOptions {
  /** Latency in milliseconds from the moment a client sends, that answers are to keep. Default 100. */
  readonly objectiveMs?: number;
  /**
   * Most of a turn's time that refusals may take, from 0 to 1; the others wait unanswered. Default 0.9: refuse
   * at once, and let answers have a tenth in any case. The price of either end is in the comment of `LoopLoad`.
   */
  readonly refusalShareMax?: number;
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

/** A turn counts as at most so many times as dear as expected: a pause of the garbage collector is not a cost. */
const OUTLIER_MAX = 4;

/** A refusal costs at least and at most so many answers, and this many before any was measured. */
const REFUSAL_COST_MIN = 0.05;
const REFUSAL_COST_MAX = 0.8;
const REFUSAL_COST_FIRST = 0.5;

/**
 * Decides how many of the requests that one turn of the event loop reads are answered, when reading, answering and
 * writing itself is the bottleneck: a model of 5 µs behind 15 µs of HTTP. Nothing that runs after a body was
 * parsed can help there; what is refused has to be refused by its head alone, with a prepared answer.
 *
 * **The estimate.** The mean cost of an answer c and of a refusal d, from what whole turns took and how many of each
 * were in them. A turn that would last longer than 0.3 × the objective is cut to that, the following ones to 0.1 ×: with
 * m requests, k answers and m − k refusals, k · c + (m − k) · d = turn. So in a steady overload of ρ times the
 * capacity, answers reach (1 − ρ·d/c) / (1 − d/c) of capacity: at ρ = 2, 89 % where a refusal costs 0.1 of an answer,
 * 57 % at 0.3, 33 % at 0.4, nothing at 0.5.
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
  readonly #refusalShareMax: number;
  #objectiveMs: number;
  /** What the turn that goes on may last. */
  #turnMs: number;
  #allowance = Infinity;
  #answerMs = 0;
  #answersSeen = 0;
  #measuredRefusalMs = 0;
  /** Held when the last turn ended. */
  #left = 0;

  constructor(options: LoopLoadOptions = {}) {
    this.#objectiveMs = options.objectiveMs ?? 100;
    this.#turnMs = TURN_SHARE_MAX * this.#objectiveMs;
    this.#refusalShareMax = options.refusalShareMax ?? 0.9;
  }

  /** Mean time of an answer, all that a request costs the loop; 0 before the first turn. */
  get answerMs(): number {
    return this.#answerMs;
  }

  /** Mean time of a refusal, within what is believable beside an answer. */
  get refusalMs(): number {
    const c = this.#answerMs;
    return this.#measuredRefusalMs === 0
      ? REFUSAL_COST_FIRST * c
      : clamp(this.#measuredRefusalMs, REFUSAL_COST_MIN * c, REFUSAL_COST_MAX * c);
  }

  /** Requests that the present turn may answer, at least 1; those beyond it are to be held until it ends. */
  get allowance(): number {
    return this.#allowance;
  }

  setObjectiveMs(objectiveMs: number): void {
    if (objectiveMs === this.#objectiveMs) return;
    this.#objectiveMs = objectiveMs;
    this.#turnMs = TURN_SHARE_MAX * objectiveMs;
  }

  /**
   * Ends a turn and plans the next one.
   * @param answers requests that it has let in. @param held those that wait, with the ones of earlier turns.
   * @returns how many of these to refuse now, oldest first; at least one, if there is one.
   */
  endTurn(answers: number, held: number): number {
    const turnMs = this.#turnMs;
    if (held === 0) {
      this.#left = 0;
      this.#turnMs = Math.min(2 * turnMs, TURN_SHARE_MAX * this.#objectiveMs);
      this.#allowance = this.#isCold ? Infinity : atLeastOne(this.#turnMs / this.#answerMs);
      return 0;
    }
    const fresh = answers + held - this.#left;
    const budgetMs = Math.max(this.#refusalShareMax * turnMs, turnMs - answers * this.#answerMs);
    const refusals = Math.min(held, atLeastOne(budgetMs / this.refusalMs));
    this.#left = held - refusals;
    this.#turnMs = Math.max(turnMs / 2, TURN_SHARE_MIN * this.#objectiveMs);
    this.#allowance = this.#answersWithin(this.#left + fresh * (this.#turnMs / turnMs));
    return refusals;
  }

  /**
   * Learns from a stretch of time in which the loop was loaded. Without refusals it teaches what an answer costs: the
   * plain mean of the first `HORIZON`, exponential after them. With refusals it teaches their cost, as far as that is
   * believable beside an answer's; what is left over is the answers' again.
   * @param busyMs time that the loop has worked on these, and on anything else.
   */
  record(answers: number, refusals: number, busyMs: number): void {
    const expectedMs = answers * this.#answerMs + refusals * this.refusalMs;
    let restMs = this.#isCold ? busyMs : Math.min(busyMs, OUTLIER_MAX * expectedMs);
    if (refusals > 0) restMs -= refusals * this.#learnRefusal(answers, refusals, restMs);
    if (answers === 0) return;
    this.#answersSeen += answers;
    const weight = answers / Math.min(this.#answersSeen, HORIZON);
    this.#answerMs += Math.min(1, weight) * (Math.max(0, restMs / answers) - this.#answerMs);
  }

  /** @returns what a refusal seems to have cost this time. */
  #learnRefusal(answers: number, refusals: number, busyMs: number): number {
    const c = this.#answerMs;
    const least = REFUSAL_COST_MIN * c;
    const foundMs = clamp((busyMs - answers * c) / refusals, least, REFUSAL_COST_MAX * c);
    const weight = Math.min(1, refusals / HORIZON);
    this.#measuredRefusalMs = this.refusalMs + weight * (foundMs - this.refusalMs);
    return foundMs;
  }

  get #isCold(): boolean {
    return this.#answersSeen < HORIZON;
  }

  /** Answers of a turn in which `requests` come, so that refusing the others fills what is left of it. */
  #answersWithin(requests: number): number {
    const { refusalMs } = this;
    const exact = (this.#turnMs - requests * refusalMs) / (this.#answerMs - refusalMs);
    const most = this.#turnMs / this.#answerMs;
    const least = (1 - this.#refusalShareMax) * most;
    return atLeastOne(clamp(exact, least, most));
  }
}

function atLeastOne(count: number): number {
  return Math.max(1, Math.floor(count));
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}
