import { readFile } from 'node:fs/promises';
import { expect, inject, it } from 'vitest';
import { runScript } from '../script.js';

const main = new URL('../../../examples/dist/payment/main.js', import.meta.url);

it('npm run example tells the story of the payments, on PGlite', { timeout: 180_000 }, async () => {
  const { address, namespace } = inject('temporal');
  const env = { POSTGRES_URL: '', TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace };
  const { code, stdout, stderr } = await runScript(main, [], { env });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('The event store is in PGlite, in the memory of this process.\n');
  expect(stdout).toContain(
    'payment-1, €100.00 → processed, version 1 (it was already: nothing was stored)\n',
  );
  expect(stdout).toContain(
    "payment-1, €100.00 → refused: Payment payment-1 is processed already: it can't process any more\n",
  );
  expect(stdout).toMatch(
    /\n {4}published PaymentProcessed of Payment-payment-4, .*\n {2}payment-4, €400.00 → processed/,
  );
  expect(stdout).toContain('4 events in 4 streams\n');
  expect(stdout).toMatch(/\n {2}(\d+) heard of \1 stored\n/);
  // The counts come a moment later, so how many is not said.
  expect(stdout).toMatch(/\n {2}command: \d+ active, \d+ completed, 0 failed/);
  expect(stdout).toContain('  org-read: payment-1-broken, processed, €300.00, of which €50.00 went back\n');
  expect(stdout).toMatch(/\n {2}\d{4}-\d\d-\d\d: \d+ in EUR, €[\d,.]+ captured, €150.00 refunded\n/);
  expect(stdout).toContain(
    '    the store gave 1 event\n  payment-1-broken is at version 2\n  The worker appends to it',
  );
  expect(stdout).toContain('  payment-1-broken is at version 3\n');
  expect(stdout).toContain('  found: completed\n');
  expect(stdout).toContain('  deleted: not found any more, ');
  expect(stdout).toMatch(
    /\n {2}201 .*"deduplicated":false}\n {2}201 .*"deduplicated":true}\n {2}422 .*\n {2}400 /,
  );
  expect(stdout).toContain('payment-5 → completed, 2500 cents refunded, version 5\n');
  expect(stdout).toContain('the handler of PaymentFailed got version 2: The card has expired\n');
  expect(stdout).toMatch(/\n {2}payment-9-\w+ → Payment processed successfully\n/);
  expect(stdout).toMatch(/ {2}e-mail to payer@example\.com: Payment payment-9-\w+\n/);
  expect(stdout).toMatch(/\n {2}payment-11-\w+ → refused: Organization not found: org-000\n/);
  expect(stdout).toContain('1 charge at the provider\n');
  expect(stdout).toMatch(/\n {2}workflow payment-payment-9-\w+: completed\n/);
  expect(stdout).toContain('by its version: version 1, processed, $0.00 refunded\n');
  expect(stdout).toMatch(
    /\n {2}at .*: version 2, completed, \$0\.00 refunded\n {2}now: version 3, completed, \$50\.00 refunded\n/,
  );
  expect(stdout).toContain('completed: 1 in USD, $200.00, $50.00 of it refunded\n');
  expect(stdout).toContain('PaymentProcessed: 4 events of 4 payments, 67 % of all events\n');
  const [, picture = ''] = /the same as a picture: (.*\.svg)\n/.exec(stdout) ?? [];
  expect(await readFile(picture, 'utf8')).toMatch(/^<svg .*: 4<\/title>.*<\/svg>\n$/s);
});
