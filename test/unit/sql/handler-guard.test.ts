import { describe, expect, it } from 'vitest';
import { HandlerError } from '../../../src/core/projections/projection-sink.js';
import { HandlerGuard } from '../../../src/sql/projections/handler-guard.js';
import {
  kindOf,
  mayMakeTemporary,
  outlivesTransaction,
  statementsOf,
} from '../../../src/sql/projections/statement-text.js';

describe('the statements of a text', () => {
  it.each<[string, readonly string[]]>([
    ['select 1', ['select 1']],
    ['  SELECT 1 ; ', ['select 1']],
    ["insert into a values (';'); commit", ['insert into a values ( )', 'commit']],
    ["select e'\\';'; commit", ['select', 'commit']],
    ["select 'a\\'; commit", ['select', 'commit']],
    ['select $$;$$, $a$;$b$;$a$; commit', ['select ,', 'commit']],
    ['select $1; commit', ['select $1', 'commit']],
    ['select ";"; commit', ['select', 'commit']],
    ['-- commit;\nselect 1; /* ; */ commit', ['select 1', 'commit']],
    ['/* a */ commit', ['commit']],
    ['set/**/role x', ['set role x']],
    ['', []],
    [';;', []],
  ])('of %j are %j', (text, statements) => {
    expect(statementsOf(text)).toEqual(statements);
  });
});

describe('a statement', () => {
  it.each([
    ['begin', 'begin'],
    ['begin transaction', 'begin'],
    ['start transaction isolation level read committed, read write', 'begin'],
    ['begin isolation level repeatable read', 'ends'],
    ['begin read only', 'ends'],
    ['commit work', 'commit'],
    ['end', 'commit'],
    ['commit and no chain', 'commit'],
    ['commit and chain', 'ends'],
    ["commit prepared 'x'", 'ends'],
    ['rollback', 'rollback'],
    ['abort transaction', 'rollback'],
    ['rollback to savepoint a', 'plain'],
    ['rollback work to a', 'plain'],
    ["rollback prepared 'x'", 'ends'],
    ["prepare transaction 'x'", 'ends'],
    ['set transaction read only', 'ends'],
    ['set local transaction isolation level serializable', 'ends'],
    ['set session characteristics as transaction read only', 'session'],
    ['set local statement_timeout = 1', 'plain'],
    ['set constraints all deferred', 'plain'],
    ['set role a', 'session'],
    ['reset all', 'session'],
    ['discard all', 'session'],
    ['listen a', 'session'],
    ['deallocate all', 'session'],
    ['prepare a as select 1', 'session'],
    ['savepoint a', 'plain'],
    ['update a set begin = 1', 'plain'],
    ['settle', 'plain'],
    ['ending', 'plain'],
  ])('%j is %s', (statement, kind) => {
    expect(kindOf(statement)).toBe(kind);
  });

  it.each([
    ['declare c cursor with hold for select 1', true],
    ['declare c cursor without hold for select 1', false],
    ["select set_config('a.b', 'c', false)", true],
    ["SELECT pg_catalog.set_config('a.b', current_setting('x'), 'f')", true],
    ["select set_config('a.b', 'c', true)", false],
  ])('%j outlives the transaction: %s', (text, outlives) => {
    expect(outlivesTransaction(text)).toBe(outlives);
  });

  it.each([
    ['create temp table a ()', true],
    ['select 1 into TEMPORARY a', true],
    ['insert into pg_temp.a values (1)', true],
    ['insert into temperature values (1)', false],
  ])('%j may make temporary tables: %s', (text, may) => {
    expect(mayMakeTemporary(text)).toBe(may);
  });
});

describe('a guard', () => {
  it('makes a savepoint of a transaction, and of another after it', () => {
    const guard = new HandlerGuard();
    const savepoint = '"temporal_event_store_handler"';
    expect(['begin', 'COMMIT;', 'begin', 'rollback', 'select 1; '].map((text) => guard.admit(text))).toEqual([
      `savepoint ${savepoint}`,
      `release savepoint ${savepoint}`,
      `savepoint ${savepoint}`,
      `rollback to savepoint ${savepoint}`,
      'select 1; ',
    ]);
    guard.end(false);
  });

  it.each(['commit', 'begin; select 1; commit', 'select 1; rollback', 'select 1; set role a'])(
    'refuses %j, and says so at the end again',
    (text) => {
      const guard = new HandlerGuard();
      expect(() => guard.admit(text)).toThrow('was not sent');
      expect(() => {
        guard.end(false);
      }).toThrow(HandlerError);
    },
  );

  it('counts statements without an answer, unless the handler threw', () => {
    const guard = new HandlerGuard();
    guard.sent();
    const answered = guard.sent();
    answered();
    guard.end(true);
    expect(() => {
      guard.end(false);
    }).toThrow('before 1 of its statements');
  });

  it('quotes a long text in part', () => {
    const long = `commit ${'x'.repeat(1_000)}`;
    expect(() => new HandlerGuard().admit(`select 1; ${long}`)).toThrow(/^'.{60}…' was not sent/);
  });
});
