/** Ports that no kernel gives to outgoing connections, nor to who asks for any: those begin at 32,768 or above. */
const FIRST = 20_000;
const COUNT = 12_000;

/**
 * A port to try for somebody who listens a little later. One that the kernel chose could be taken by any outgoing
 * connection of this machine meanwhile.
 * @param random from 0 up to 1.
 */
export function quietPort(random: number): number {
  return FIRST + Math.floor(random * COUNT);
}
