import { castore } from './castore.js';
import type { Contender } from './contender.js';
import { copy } from './copy.js';
import { dcbEs } from './dcb-es.js';
import { emmett } from './emmett.js';
import { messageDb } from './message-db.js';
import { ours } from './ours.js';
import { pgDefaults } from './pg-defaults.js';
import { raw } from './raw.js';

export const contenders: readonly Contender[] = [
  raw,
  pgDefaults,
  copy,
  ours,
  emmett,
  castore,
  messageDb,
  dcbEs,
];
