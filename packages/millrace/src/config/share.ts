/** A share as text: a percentage, `99.9%`, or a ratio, `0.999`. */
export const SHARE_PATTERN = /^(\d+(?:\.\d+)?)(%?)$/;

/** @returns a ratio 0 to 1; undefined when `text` is not a share, such as `10`, which may mean 10 % or ten times. */
export function parseShare(text: string): number | undefined {
  const [, amount, percent] = SHARE_PATTERN.exec(text) ?? [];
  if (amount === undefined) return undefined;
  // The exponent keeps 99.9% the number nearest to 0.999, which a division by 100 does not.
  const ratio = Number(percent === "%" ? `${amount}e-2` : amount);
  return ratio <= 1 ? ratio : undefined;
}
