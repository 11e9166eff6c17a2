const started = performance.now();

/** A line that stays. */
export function say(line: string): void {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
  console.log(line);
}

/** A line that the next one takes the place of, on a terminal. */
export function showProgress(text: string): void {
  const line = `[${((performance.now() - started) / 1_000).toFixed(0)} s] ${text}`;
  if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line}`);
  else say(line);
}
