const pattern =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]([01]\d|2[0-3]):?([0-5]\d))$/;

/**
 * An instant as ISO 8601 in UTC with whole milliseconds (finer digits are cut), or what is wrong with it. Years run
 * from 1 to 9999: that is what four digits and PostgreSQL's timestamps have in common.
 */
export function parseTimestamp(value: unknown): { readonly iso: string } | { readonly problem: string } {
  const time = isDate(value) ? value.getTime() : typeof value === 'string' ? parseIso(value) : undefined;
  if (time === undefined) {
    return { problem: 'is neither a Date nor an ISO 8601 string with an offset such as Z' };
  }
  if (Number.isNaN(time)) return { problem: 'is not a possible date' };
  const iso = new Date(time).toISOString();
  // Years out of range are written as +012345 or -000001.
  if (iso.length !== 24 || iso.startsWith('0000')) return { problem: 'is outside the years 1 to 9999' };
  return { iso };
}

/** Also true for a Date of another realm, where `instanceof` fails. */
function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}

/** `Date.parse` alone would roll 30 February over into March and take local times without an offset. */
function parseIso(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const daysInMonth = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  const isPossible =
    month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth && hour <= 23 && minute <= 59 && second <= 59;
  return isPossible ? Date.parse(text.replace(/([+-]\d\d):?(\d\d)$/, '$1:$2')) : Number.NaN;
}
