export * from 'temporal-event-store/workflows';
export { changePayment } from './commands/change-payment.js';
export { processPayment } from './commands/command-workflow.js';
export { paymentHistory, paymentTimeline, searchPaymentEvents } from './queries/payment-queries.js';
export { deletePayment, persistPayment } from './repository/payment-persistence-workflow.js';
export { countPayments, searchPayments } from './repository/payment-search-workflow.js';
export { compensatePayment } from './process/compensation-workflow.js';
export { paymentWorkflow } from './process/payment-workflow.js';
export { paymentReport } from './queries/payment-report.js';
