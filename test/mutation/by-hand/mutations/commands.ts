import type { Mutation } from '../mutation.js';

const lane = 'src/temporal/workflows/command-lane.ts';
const execution = 'src/temporal/activities/execute-on-stream.ts';
const tests = ['test/temporal/command-lanes.test.ts'];

/** Commands: their lanes, their client and what decides them. */
export const commands: readonly Mutation[] = [
  {
    name: 'A lane does not continue as new, however many updates it has taken',
    file: lane,
    find: 'updates >= maxUpdates ||',
    replace: 'updates < 0 ||',
    project: 'temporal',
    tests,
    pattern: 'a lane continues as new',
  },
  {
    name: 'A lane that is idle never completes',
    file: lane,
    find: 'if (rest <= 0 && waiting',
    replace: 'if (rest < -1e9 && waiting',
    project: 'temporal',
    tests,
    pattern: 'a lane continues as new',
  },
  {
    name: 'A client has several updates of a lane under way, so that its commands overtake each other',
    file: 'src/temporal/client/command-lane-queue.ts',
    find: '    if (this.#isRunning) return;\n',
    replace: '',
    project: 'temporal',
    tests,
    pattern: 'when they are several updates',
  },
  {
    name: 'Another command with the id of one that is under way gets its answer',
    file: 'src/temporal/client/aggregate-client.ts',
    find: 'if (hashOf(other.command) === hashOf(command)) return',
    replace: 'if (other.command.commandId === command.commandId) return',
    project: 'temporal',
    tests,
    pattern: 'its id is under way with another',
  },
  {
    name: 'A stored command is answered to another one with its id',
    file: execution,
    find: 'storedHash === undefined || storedHash === commandHashOf(command)',
    replace: 'storedHash === undefined || commandHashOf(command) !== storedHash + 1',
    project: 'temporal',
    tests,
    pattern: 'its id was used for another',
  },
  {
    name: 'What was decided is appended also when another append came between',
    file: execution,
    find: '{ expectedVersion: loaded.version }',
    replace: '{}',
    project: 'temporal',
    tests,
    pattern: 'whoever stored it',
  },
  {
    name: 'A command is rejected although it is stored already',
    file: execution,
    find: '        if (await this.#answerFromStore(decision.command)) continue;\n',
    replace: '',
    project: 'temporal',
    tests,
    pattern: 'whose answer is lost',
  },
  {
    name: 'A command that spoilt the state leaves it to the next',
    file: execution,
    find: '    if (isSpoilt) return;\n',
    replace: '',
    project: 'temporal',
    tests,
    pattern: 'leaves nothing of it to the next',
  },
  {
    name: 'The errors of a batch may be too much to travel',
    file: 'src/temporal/activities/aggregate-activities.ts',
    find: 'return fitOutcomes(outcomes);',
    replace: 'return outcomes;',
    project: 'temporal',
    tests,
    pattern: 'are too much to travel',
  },
  {
    name: 'A replay of an earlier version begins with the newest snapshot',
    file: 'src/temporal/activities/aggregate-activities.ts',
    find: 'toVersion === undefined && until === undefined;',
    replace: 'toVersion === undefined || until === undefined;',
    project: 'temporal',
    tests: ['test/temporal/ready-made-workflows.test.ts'],
    pattern: 'begins with a snapshot',
  },
];
