import { expect, it } from 'vitest';
import { formatMoney } from '../../../examples/payment/domain/money.js';

it.each([
  [123_456, 'EUR', '€1,234.56'],
  [5, 'USD', '$0.05'],
  [500, 'JPY', '¥500'],
  [1_234, 'KWD', 'KWD\u00a01.234'],
])('%i minor units of %s are %s', (minorUnits, currency, text) => {
  expect(formatMoney({ minorUnits, currency })).toBe(text);
});
