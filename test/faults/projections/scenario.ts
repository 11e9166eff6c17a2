import { showProgress } from '../console.js';
import type { Finding } from '../findings.js';
import { within } from '../wait.js';
import { Arena, type ArenaOptions } from './arena.js';
import { countEvents } from './audit.js';
import type { Fault } from './faults.js';
import type { Tally } from './tally.js';

export interface Outcome {
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<string, number>>;
  readonly tally: Tally;
}

/** Does one thing after the other to a projection while events are written, and after each compares the read model with the log. */
export async function play(
  options: ArenaOptions,
  rounds: readonly (readonly [name: string, round: Fault])[],
): Promise<Outcome> {
  const arena = await within(120, 'the projection is at work', Arena.open(options));
  const { tally, waiter, reader } = arena;
  const findings = new Map<string, Finding>();
  const note = (round: string, found: readonly Finding[]): void => {
    for (const finding of found) {
      const before = findings.get(finding.invariant);
      if (before !== undefined && before.offenders > 0) continue;
      const { offenders, sample } = finding;
      findings.set(finding.invariant, {
        ...finding,
        sample: offenders === 0 ? '' : `after "${round}": ${sample}`,
      });
    }
  };
  let failure: string | undefined;
  try {
    for (const [name, round] of rounds) {
      showProgress(
        `${tally.events} events, ${tally.killed} deaths, ${tally.unexpected.length} unexpected; now: ${name}`,
      );
      await within(240, `"${name}" has ended`, round(arena));
      note(name, await arena.settle(name));
    }
    note('the end', await arena.finish());
    await Promise.all([waiter.loop.end(), reader.loop.end()]);
  } catch (error) {
    // What was found before is told all the same.
    failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  try {
    const offences = (invariant: string, offenders: readonly string[]): Finding => ({
      invariant,
      offenders: offenders.length,
      sample: offenders.slice(0, 3).join('; '),
    });
    return {
      findings: [
        ...findings.values(),
        offences('waitFor returns when the read model has it', waiter.offences),
        offences('a reader sees a whole read model, and never an earlier one', reader.offences),
        offences('no error but the typed ones of a retryable fault', tally.unexpected),
        offences('every round ends, and the read model catches up', failure === undefined ? [] : [failure]),
      ],
      counts: {
        ...(await countEvents(options.url).catch(() => ({}))),
        'answers of waitFor that were checked': waiter.answers,
        'of waitFor that it is not there yet': waiter.refusals,
        'looks of the reader': reader.looks,
      },
      tally,
    };
  } finally {
    await arena.close();
  }
}
