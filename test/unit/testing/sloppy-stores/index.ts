import { withSloppyAppends } from './appends.js';
import { withSloppyCapabilities } from './capabilities.js';
import { withSloppyOrderOfJudgement } from './condition-order.js';
import { withSloppyTurns } from './condition-races.js';
import { withSloppyConditions } from './conditions.js';
import { thatNeverEnd } from './endless.js';
import { withSloppyEvents } from './events.js';
import { withSloppyMultiCommits } from './multi-stream-commits.js';
import { withSloppyMultiAppends } from './multi-streams.js';
import { withSloppyNames } from './names.js';
import { withSloppyReads } from './reads.js';
import { withSloppySettledPositions } from './settled-positions.js';
import type { SloppyStore } from './sloppy-store.js';

/** Each wrong in one way, of which the conformance suite must tell. */
export const sloppyStores: readonly SloppyStore[] = [
  ...withSloppyNames,
  ...withSloppyAppends,
  ...withSloppyEvents,
  ...withSloppyReads,
  ...withSloppyCapabilities,
  ...withSloppyMultiAppends,
  ...withSloppyMultiCommits,
  ...withSloppyConditions,
  ...withSloppyOrderOfJudgement,
  ...withSloppyTurns,
  ...withSloppySettledPositions,
  ...thatNeverEnd,
];
