/** A load test could not begin, or not end, though it was asked for rightly: exit 1 with this message. */
export class LoadFailure extends Error {}
