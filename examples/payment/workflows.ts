export * from 'temporal-event-store/workflows';
export { processPayment } from './commands/command-workflow.js';
export { paymentHistory, paymentTimeline, searchPaymentEvents } from './queries/payment-queries.js';
