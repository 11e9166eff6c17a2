import type { Mutation } from './mutation.js';
import { appends } from './mutations/appends.js';
import { commands } from './mutations/commands.js';
import { conditions } from './mutations/conditions.js';
import { projections } from './mutations/projections.js';
import { publishing } from './mutations/publishing.js';
import { reads } from './mutations/reads.js';
import { throughTemporal } from './mutations/through-temporal.js';

/** What unit tests, and so Stryker, can't reach: SQL, and all that a server of PostgreSQL or Temporal takes part in. */
export const mutations: readonly Mutation[] = [
  ...appends,
  ...conditions,
  ...reads,
  ...projections,
  ...commands,
  ...publishing,
  ...throughTemporal,
];
