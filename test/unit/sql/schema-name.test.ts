import { describe, expect, it } from 'vitest';
import { grantScript } from '../../../src/sql/migrations/grants.js';
import { assertSchemaName, inSchema, quoted } from '../../../src/sql/schema-name.js';

describe('the name of a schema', () => {
  it.each(['a', '_', 'event_store', 'x9', 'x'.repeat(63), 'pgx'])('may be %s', (name) => {
    expect(() => {
      assertSchemaName(name);
    }).not.toThrow();
  });

  it.each(['', '9a', 'A', 'a-b', 'a b', 'a"b', 'ä', 'a\n', 'x'.repeat(64), 'pg_temp', undefined, null, 7])(
    'may not be %j',
    (name) => {
      expect(() => {
        assertSchemaName(name);
      }).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    },
  );

  it('stands wherever a text asks for it', () => {
    expect(inSchema('select __schema__.a, __schema__.b', 'mine')).toBe('select "mine".a, "mine".b');
  });

  it('is quoted, whatever it is', () => {
    expect(quoted('a"b"')).toBe('"a""b"""');
  });
});

describe('the grants of a role', () => {
  it('never let it change or remove an event', () => {
    const grants = grantScript('mine', 'app').split('\n');
    expect(grants).toContain('grant select, insert on "mine".events to "app";');
    expect(grants.filter((grant) => grant.includes('"mine".events'))).toHaveLength(1);
  });

  it('are for that role alone, whatever its name', () => {
    const role = '__schema__"; drop';
    for (const grant of grantScript('mine', role).trimEnd().split('\n')) {
      expect(grant).toMatch(/^grant .* to "__schema__""; drop";$/);
    }
  });

  it.each([
    ['', 'mine'],
    ['x'.repeat(64), 'mine'],
    ['é'.repeat(32), 'mine'],
    ['a\u0000', 'mine'],
    [undefined, 'mine'],
    ['app', 'Mine'],
  ])('are refused for the role %j in the schema %j', (role, schema) => {
    expect(() => grantScript(schema, role as string)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it.each(['x'.repeat(63), 'é'.repeat(31)])('are made for the role %s', (role) => {
    expect(grantScript('mine', role)).toContain(`"${role}"`);
  });
});
