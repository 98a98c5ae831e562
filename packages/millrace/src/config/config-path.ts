/** Keys of objects and indexes of lists, outermost first. */
export type ConfigPath = readonly (string | number)[];
