/** Version of the package; a test keeps it equal to package.json. */
export const MILLRACE_VERSION = "0.1.0";
