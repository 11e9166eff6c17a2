export interface Answer {
  readonly outcomes: readonly number[];
  readonly versions: readonly number[];
  readonly positions: readonly number[];
  readonly conflicts: readonly (number | undefined)[];
}

/** The answer of `append_members`, some of whose arrays may be null: `(,"{5,6}","{122,123}",)`. */
export function answerOf(row: string): Answer {
  const fields = row.slice(1, -1).matchAll(/(?:"([^"]*)"|([^,"]*))(?:,|$)/g);
  const [outcomes = [], versions = [], positions = [], conflicts = []] = Array.from(
    fields,
    ([, quoted, bare = '']) => arrayIn(quoted ?? bare),
  );
  return { outcomes, versions, positions, conflicts } as Answer;
}

/** An array of numbers as PostgreSQL writes it: `{1,NULL}`, `[2:3]={1,2}` if it begins later, or nothing. */
function arrayIn(text: string): readonly (number | undefined)[] {
  const start = text.indexOf('{');
  if (start < 0) return [];
  const first = start === 0 ? 1 : Number(/\d+/.exec(text)?.[0]);
  const values = text
    .slice(start + 1, -1)
    .split(',')
    .map((value) => (value === 'NULL' ? undefined : Number(value)));
  return [...Array.from({ length: first - 1 }, () => undefined), ...values];
}
