export * from 'temporal-event-store/workflows';
export { releaseInTime } from './seats/release-workflow.js';
