/** An amount in the smallest unit of its currency (cents of EUR), so that nothing is ever rounded. */
export interface Money {
  readonly minorUnits: number;
  /** ISO 4217 code. */
  readonly currency: string;
}

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

/** Whether something can be paid in it: XXX stands for no currency, and XTS for tests. */
export function isCurrency(code: string): boolean {
  return currencies.has(code) && code !== 'XXX' && code !== 'XTS';
}

/** Whether it can be paid: a positive whole number of minor units. */
export function isPayable({ minorUnits }: Money): boolean {
  return Number.isSafeInteger(minorUnits) && minorUnits > 0;
}

export function formatMoney({ minorUnits, currency }: Money): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minorUnits / 10 ** digits);
}
