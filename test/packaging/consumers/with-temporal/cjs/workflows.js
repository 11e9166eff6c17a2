const { DomainError } = require('temporal-event-store');
const { proxyEventStore } = require('temporal-event-store/workflow');

const store = proxyEventStore();

module.exports = { ...require('temporal-event-store/workflows'), openAndRefuse };

async function openAndRefuse(streamId) {
  await store.appendToStream(streamId, [{ type: 'Opened', data: {} }], { expectedVersion: 'noStream' });
  throw new DomainError('It is open already', { reason: 'ALREADY_OPEN', details: { streamId } });
}
