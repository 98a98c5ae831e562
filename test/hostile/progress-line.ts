/** @returns what shows how far a command is: in place on a terminal, a line every tenth in a file. */
export function progressLine(count: number): (done: number) => void {
  const isTerminal = process.stdout.isTTY;
  const step = Math.ceil(count / 10);
  let shown = 0;
  return (done) => {
    if (isTerminal) process.stdout.write(`\r${done} of ${count}`);
    else if (done >= shown + step) {
      shown = done;
      console.log(`${done} of ${count}`);
    }
  };
}
