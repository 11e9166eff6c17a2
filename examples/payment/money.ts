/** An amount in the smallest unit of its currency (cents of EUR), so that nothing is ever rounded. */
export interface Money {
  readonly minorUnits: number;
  /** ISO 4217 code. */
  readonly currency: string;
}

export function formatMoney({ minorUnits, currency }: Money): string {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return format.format(minorUnits / 10 ** digits);
}
