/** What was given to a load test cannot be used: flags, a targets file, a data file. The message says what is allowed. */
export class LoadInputError extends Error {
  override readonly name = "LoadInputError";
}
