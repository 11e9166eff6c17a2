import { expect, inject, it } from 'vitest';
import { runScript } from '../script.js';

const main = new URL('../../../examples/dist/reservations/main.js', import.meta.url);

it('npm run example:reservations tells what each pattern guarantees', { timeout: 180_000 }, async () => {
  const { address, namespace } = inject('temporal');
  const env = { POSTGRES_URL: '', TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
  const { code, stdout, stderr } = await runScript(main, [], { env });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('her stream: 1 EmailTaken, 2 EmailReleased, 3 EmailTaken\n');
  expect(stdout).toContain('\n50 users take one address at once\n  1 done, 49 refused: EMAIL_TAKEN\n');
  expect(stdout).toContain('  Bob takes for-ever@ → refused: VERSION_CONFLICT\n');
  expect(stdout).toContain('  Ann’s timer → released\n  Ann books → refused: HOLD_OVER\n');
  expect(stdout).toContain('  Bob books → done\n  Bob’s timer → nothing to release\n');
  expect(stdout).toContain('  Cem’s timer comes late → 0 events\n');
  expect(stdout).toContain('\n50 customers hold one seat at once\n  1 done, 49 refused: SEAT_TAKEN\n');
  expect(stdout).toContain('is free\n  1 done, 49 refused: APPEND_CONDITION_FAILED\n');
  expect(stdout).toContain('→ 10 subscribed, 20 refused: COURSE_FULL\n');
  expect(stdout).toContain('→ 5 subscribed, 3 refused: TOO_MANY_COURSES\n');
  expect(stdout).toContain('→ 4 done, 2 refused: LIMIT_EXCEEDED\n    payer 60.00, payee 50.00\n');
  expect(stdout).toMatch(/\n {4}payer 40\.00, payee 70\.00\n$/);
});
