/** Name of the file in the state folder that keeps which unit has which arm. */
export const UNITS_FILE = "units.sqlite";
