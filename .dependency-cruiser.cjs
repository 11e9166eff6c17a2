/**
 * The folders of `src` and all that each may import: other folders, npm packages, Node's own modules.
 * What is not listed is forbidden.
 */
const house = {
  'core/index': { folders: ['core'] },
  'core/values': {},
  'core/errors': { folders: ['core/values'] },
  'core/options': { folders: ['core/errors', 'core/values'] },
  'core/events': { folders: ['core/values'] },
  'core/store': { folders: ['core/events', 'core/options', 'core/errors', 'core/values'] },
  'core/registry': { folders: ['core/store', 'core/events', 'core/options', 'core/errors', 'core/values'] },
  'core/aggregates': {
    folders: ['core/registry', 'core/store', 'core/events', 'core/options', 'core/errors', 'core/values'],
  },
  'core/decisions': {
    folders: ['core/aggregates', 'core/store', 'core/events', 'core/options', 'core/errors', 'core/values'],
  },
  'core/projections': {
    folders: ['core/store', 'core/events', 'core/options', 'core/errors', 'core/values'],
  },
  'core/reactions': {
    folders: [
      'core/aggregates',
      'core/decisions',
      'core/projections',
      'core/store',
      'core/events',
      'core/options',
      'core/errors',
      'core/values',
    ],
  },
  memory: { folders: ['core'] },
  cache: { folders: ['core'], packages: ['lru-cache'] },
  sql: { folders: ['core'] },
  postgres: { folders: ['core', 'sql'], packages: ['pg', '@types/pg'], node: true },
  pglite: { folders: ['core', 'sql'], packages: ['@electric-sql/pglite'], node: true },
  'temporal/shared': { folders: ['core'], packages: ['@temporalio/common'] },
  'temporal/workflow': {
    folders: ['core', 'temporal/shared'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  'temporal/workflows': {
    folders: ['core', 'temporal/shared', 'temporal/workflow'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  'temporal/activities': {
    folders: ['core', 'temporal/shared', 'temporal/client'],
    packages: ['@temporalio/activity', '@temporalio/client', '@temporalio/common', 'lru-cache'],
    node: true,
  },
  'temporal/client': {
    folders: ['core', 'temporal/shared'],
    packages: ['@temporalio/client', '@temporalio/common'],
    node: true,
  },
  'temporal/worker': {
    folders: ['core', 'temporal/shared', 'temporal/activities'],
    packages: ['@temporalio/worker', '@temporalio/common'],
    node: true,
  },
  testing: { folders: ['core', 'memory'] },
};

const allowed = Object.entries(house).flatMap(([folder, { folders = [], packages = [], node = false }]) => {
  const from = { path: `^src/${folder}[/.]` };
  const paths = [
    ...[folder, ...folders].map((other) => `^src/${other}[/.]`),
    ...packages.map((name) => `^node_modules/${name}/`),
  ];
  return [{ from, to: { path: paths } }, ...(node ? [{ from, to: { dependencyTypes: ['core'] } }] : [])];
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  allowed,
  allowedSeverity: 'error',
  forbidden: [{ name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } }],
  options: {
    tsConfig: { fileName: 'tsconfig.build.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
};
