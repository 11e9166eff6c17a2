import type { CommandContender } from './contender.js';
import {
  byDefault,
  fourLanes,
  lanePerAggregate,
  oneLane,
  sixteenLanes,
  updatePerCommand,
  workflowPerCommand,
} from './contenders.js';

/** How many there are, of which each command goes to one by chance; or a new one for each command. */
export type Aggregates = number | 'new';

export interface CommandWorkload {
  readonly callers: number;
  readonly aggregates: Aggregates;
  readonly contenders: readonly CommandContender[];
  /** Client processes, each with a connection and a client of its own. Default 1. */
  readonly processes?: number;
  /** Default 1. */
  readonly workers?: number;
}

const allLanes = [lanePerAggregate, sixteenLanes, fourLanes, oneLane];

/** By callers, so that what is compared is measured close together. */
export const workloads: readonly CommandWorkload[] = [
  { callers: 1, aggregates: 'new', contenders: [workflowPerCommand] },
  { callers: 1, aggregates: 1, contenders: [updatePerCommand, lanePerAggregate] },
  { callers: 8, aggregates: 1, contenders: [updatePerCommand] },
  { callers: 16, aggregates: 'new', contenders: [workflowPerCommand] },
  { callers: 16, aggregates: 1, contenders: [updatePerCommand, lanePerAggregate] },
  { callers: 16, aggregates: 64, contenders: [fourLanes, oneLane] },
  { callers: 64, aggregates: 'new', contenders: [workflowPerCommand] },
  { callers: 64, aggregates: 1, contenders: [updatePerCommand, lanePerAggregate] },
  { callers: 64, aggregates: 64, contenders: [updatePerCommand, ...allLanes] },
  { callers: 256, aggregates: 1, contenders: [lanePerAggregate] },
  { callers: 256, aggregates: 64, contenders: allLanes },
  { callers: 256, aggregates: 10_000, contenders: [oneLane, fourLanes, sixteenLanes, lanePerAggregate] },
  // Leaves the most behind.
  { callers: 256, aggregates: 'new', contenders: [workflowPerCommand] },
];

/** Two callers a process; the five are what the others are compared with. */
export const processWorkloads: readonly CommandWorkload[] = [
  ...[5, 1, 10, 20, 50].map((processes) => ({ ...ofProcesses(processes), aggregates: 1 })),
  ...[5, 20, 50].map((processes) => ({ ...ofProcesses(processes), aggregates: 64 })),
  ...[5, 20].map((processes) => ({ ...ofProcesses(processes), aggregates: 1, workers: 2 })),
];

export const quickProcessWorkloads: readonly CommandWorkload[] = [5, 20].map((processes) => ({
  ...ofProcesses(processes),
  aggregates: 1,
}));

function ofProcesses(processes: number) {
  return { callers: 2 * processes, processes, contenders: [byDefault] };
}

export const quickWorkloads: readonly CommandWorkload[] = [
  { callers: 1, aggregates: 'new', contenders: [workflowPerCommand] },
  { callers: 1, aggregates: 1, contenders: [updatePerCommand, lanePerAggregate] },
  { callers: 16, aggregates: 'new', contenders: [workflowPerCommand] },
  { callers: 64, aggregates: 1, contenders: [lanePerAggregate] },
  { callers: 64, aggregates: 64, contenders: [fourLanes, oneLane] },
];

/** For whoever misses something above. */
export const notMeasured: readonly string[] = [
  'a workflow per command on few aggregates, where its appends would conflict: new aggregates are its best case',
  'shared lanes on one aggregate: it has one lane, whatever their number',
  'one caller on many aggregates, who waits as long as on one',
  'an entity per aggregate with 256 callers on one, because the server takes 10 updates at a time, and with more than 64 aggregates, where it does what a lane per aggregate does',
  'few callers on 10,000 aggregates, whose batches are those of 64 aggregates',
];

export function commandWorkload(callers: number, aggregates: Aggregates, processes = 1, workers = 1): string {
  const on = workers === 1 ? '' : ` on ${workers} workers`;
  const of = processes === 1 ? '' : ` of ${processes} processes${on}`;
  const by = `${callers} ${callers === 1 ? 'caller' : 'callers'}${of}`;
  if (aggregates === 'new') return `${by}, a new aggregate each`;
  return `${by}, ${aggregates === 1 ? 'one aggregate' : `${aggregates.toLocaleString('en')} aggregates`}`;
}
