import { append } from './append.js';
import { bpi2012 } from './bpi2012.js';
import { catchUp } from './catch-up.js';
import { commands, processes } from './commands.js';
import { conditions } from './conditions.js';
import { growth } from './growth.js';
import { hotStream } from './hot-stream.js';
import { load } from './load.js';
import { order } from './order.js';
import { projections } from './projections.js';
import type { Suite } from './suite.js';
import { tagTable } from './tag-table.js';

export const suites: readonly Suite[] = [
  append,
  hotStream,
  load,
  catchUp,
  growth,
  bpi2012,
  order,
  conditions,
  commands,
  processes,
  projections,
  tagTable,
];
