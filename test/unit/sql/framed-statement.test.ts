import { describe, expect, it } from 'vitest';
import { at, framed } from '../../../src/sql/projections/framed-statement.js';
import { inSchema } from '../../../src/sql/schema-name.js';

const column = 'position';
const statement = framed`update __schema__.shards set ${column} = ${at(2)} where name = ${at(1)} and '$1' <> ''`;

describe('a statement in parts', () => {
  it('has places where its values are sent beside it', () => {
    expect(statement.text).toBe(`update __schema__.shards set position = $2 where name = $1 and '$1' <> ''`);
  });

  it.each([
    ['orders', `E'orders'`],
    [`it's \\ here`, `E'it''s \\\\ here'`],
    ['$2 and $&', `E'$2 and $&'`],
    ['__schema__', `E'__schema__'`],
    [null, 'null'],
  ])('holds the value %j as it is, and only in its place', (name, literal) => {
    expect(statement.withValues([name, 7], (text) => inSchema(text, 's'))).toBe(
      `update "s".shards set position = 7 where name = ${literal} and '$1' <> ''`,
    );
  });
});
