import type { Mutation } from '../mutation.js';

const statements = 'src/sql/projections/statements.ts';
const sink = 'test/postgres/projections/sink.test.ts';
const projection = 'test/temporal/projections.test.ts';

/** Projections: their sink in SQL, and the workflows that keep them. */
export const projections: readonly Mutation[] = [
  {
    name: 'The owner before the newest may still write',
    file: statements,
    find: 'and s.token ${eq} $4',
    replace: 'and s.token operator(pg_catalog.>=) $4',
    project: 'postgres',
    tests: [sink],
    pattern: 'of an owner who was succeeded',
  },
  {
    name: 'Tokens are counted for each share, so that one comes again when a build is made anew',
    file: statements,
    find: 'acquire = `update __schema__.shares set token = ${nextToken}',
    replace: 'acquire = `update __schema__.shares set token = token + 1',
    project: 'postgres',
    tests: [sink],
    pattern: 'an owner whose build was dropped',
  },
  {
    name: 'The checkpoint is a transaction of its own, after that of the page',
    file: 'src/postgres/run-transaction.ts',
    find: "    await client.query([...(frame?.closing(opened) ?? []), 'commit'].join('; '));",
    replace:
      "    const closing = frame?.closing(opened).join('; ');\n    await client.query('commit');\n    if (closing !== undefined) await client.query(closing);",
    project: 'postgres',
    tests: [sink],
    pattern: 'that is cut after COMMIT was sent',
  },
  {
    name: 'A switch to another build lets its former owner go on',
    file: 'src/sql/projections/sql-projection-sink.ts',
    find: '      await this.#database.query(client, statements.fence, [name]);\n      const next',
    replace: '      const next',
    project: 'postgres',
    tests: [sink],
    pattern: 'swap places at once',
  },
  {
    name: 'Events that were put aside are tried again newest first',
    file: statements,
    find: "and status ${eq} 'retrying'\n  order by position limit 1`",
    replace: "and status ${eq} 'retrying'\n  order by position desc limit 1`",
    project: 'temporal',
    tests: [projection],
    pattern: 'puts events aside',
  },
  {
    name: 'A pause returns while a page is still written',
    file: 'src/temporal/workflows/projection.ts',
    find: '    await typed(this.#activities.eventStoreFenceProjection({ name: this.#input.name }));\n',
    replace: '',
    project: 'temporal',
    tests: [projection],
    pattern: 'applies nothing while it is paused',
  },
  {
    name: 'A rebuild takes readers back to before what they have seen',
    file: 'src/temporal/workflows/projection.ts',
    find: '      await completeBuild(next, { until: positionOf(await this.#refreshLive()), heartbeatTimeout });\n',
    replace: '',
    project: 'temporal',
    tests: [projection],
    pattern: 'is not live before',
  },
  {
    name: 'A projection that continues as new forgets that it is paused',
    file: 'src/temporal/workflows/projection.ts',
    find: '{ ...this.#input, run: this.#state.run }',
    replace: 'this.#input',
    project: 'temporal',
    tests: [projection],
    pattern: 'stays paused when it continues as new',
  },
  {
    name: 'A worker gives its signs of life too late, and loses its share while it lives',
    file: 'src/temporal/activities/projections/heartbeating.ts',
    find: 'heartbeatTimeoutMs / 4',
    replace: 'heartbeatTimeoutMs * 4',
    project: 'unit',
    tests: ['test/unit/temporal/heartbeating.test.ts'],
  },
];
