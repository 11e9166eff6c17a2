/**
 * The front doors of the package: subpath of the export (and name in `dist`) to source file. What can't read them from here is compared
 * by test/unit/repository/front-doors.test.ts.
 */
export const entries = {
  index: 'src/core/index.ts',
  memory: 'src/memory/index.ts',
  cache: 'src/cache/index.ts',
  postgres: 'src/postgres/index.ts',
  pglite: 'src/pglite/index.ts',
  workflow: 'src/temporal/workflow/index.ts',
  workflows: 'src/temporal/workflows/index.ts',
  activities: 'src/temporal/activities/index.ts',
  client: 'src/temporal/client/index.ts',
  worker: 'src/temporal/worker/index.ts',
  testing: 'src/testing/index.ts',
};
