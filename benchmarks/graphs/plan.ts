/** How much is measured. */
export interface Plan {
  /** Rounds of calls in one process; each visits all that are compared. */
  readonly rounds: number;
  readonly callsPerRound: number;
  readonly ruleMatches: number;
  readonly stepCalls: number;
  /** Rounds of loads over HTTP. */
  readonly loadRounds: number;
  /** Of one load. */
  readonly loadMs: number;
  readonly warmUpMs: number;
  /** Live changes under load. */
  readonly changes: number;
}

export const FULL: Plan = {
  rounds: 7,
  callsPerRound: 3000,
  ruleMatches: 50_000,
  stepCalls: 1000,
  loadRounds: 3,
  loadMs: 4000,
  warmUpMs: 2000,
  changes: 20,
};

/** Tries the harness; is no evidence. */
export const QUICK: Plan = {
  rounds: 2,
  callsPerRound: 200,
  ruleMatches: 1000,
  stepCalls: 100,
  loadRounds: 1,
  loadMs: 1000,
  warmUpMs: 1000,
  changes: 3,
};
