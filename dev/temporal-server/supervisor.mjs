// Runs a command until standard input closes. The kernel closes it when the parent ends, even by SIGKILL,
// so that no server is left behind.
import { spawn } from 'node:child_process';

const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
child.on('exit', (code) => process.exit(code ?? 1));
child.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
process.stdin.on('close', () => child.kill()).resume();
