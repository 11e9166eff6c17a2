import type { WorkerReport } from './messages.js';

/** What has happened in a run so far. */
export class Tally {
  events = 0;
  pages = 0;
  takeovers = 0;
  /** Pages of owners who had been succeeded. */
  refused = 0;
  /** Pages that failed, by the code of their error. */
  readonly failures = new Map<string, number>();
  /** Deaths of workers by who killed them, and where. */
  readonly deaths = new Map<string, number>();
  /** Milliseconds from each fault until what was written before its end was in the read model. */
  readonly recoveries: number[] = [];
  readonly unexpected: string[] = [];

  onReport(report: WorkerReport): void {
    if (report.kind === 'page') this.pages++;
    else if (report.kind === 'refused') this.refused++;
    else if (report.kind === 'failed') count(this.failures, report.error);
    else if (report.kind === 'acquired') this.takeovers++;
  }

  onDeath(how: string): void {
    count(this.deaths, how);
  }

  get killed(): number {
    return [...this.deaths.values()].reduce((sum, deaths) => sum + deaths, 0);
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
