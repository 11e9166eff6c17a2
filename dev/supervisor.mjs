// Runs a command until standard input closes. The kernel closes it when the parent ends, even by SIGKILL,
// so that neither a server is left behind nor its files.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

const { command, args, stopSignal, removes, ...options } = JSON.parse(process.argv[2]);
let stopping = false;
const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'inherit'] });
child.on('exit', (code) => {
  if (stopping && removes !== undefined) rmSync(removes, { recursive: true, force: true });
  process.exit(code ?? 1);
});
child.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
process.stdin
  .on('close', () => {
    stopping = true;
    child.kill(stopSignal);
  })
  .resume();
