export * from 'temporal-event-store/workflows';

/** Started by a reaction. */
export async function refund(payment: string, amount: number): Promise<string> {
  return `${amount} for ${payment}`;
}
