/** Something that is accepted, but maybe not what its writer expects. */
export interface ConfigWarning {
  readonly message: string;
  /** `millrace.yaml:3:5`, `environment MILLRACE_…`, `flag --…`. */
  readonly location: string;
}
