import eventStore = require('temporal-event-store');
import memory = require('temporal-event-store/memory');
import activities = require('temporal-event-store/activities');

const store: eventStore.EventStore = new memory.MemoryEventStore();
const { eventStoreReadStream } = activities.createEventStoreActivities({ store });

void eventStoreReadStream({ streamId: 'Account-1' }).then(({ version }) => {
  if (version !== 0) throw new Error(`An empty store has version ${version}`);
  console.log('a .cts module has the types and the code of the CJS files');
});
