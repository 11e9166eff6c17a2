import { EventEmitter } from 'node:events';
import pg, { type ClientBase, type Pool } from 'pg';
import { describe, expect, it, vi } from 'vitest';
import {
  clientClassOf,
  cutOff,
  cutOffOnError,
  keepAlive,
  keyOfClient,
  onSetting,
  progressOf,
  rowQueryOf,
} from '../../../src/postgres/pg-internals.js';

const clientOf = (parts: object): ClientBase => parts as ClientBase;
const config = { text: 'select 1', types: undefined, callback: undefined };

/** The connection of a client, as `pg` has it. */
function connection() {
  const stream = { destroy: vi.fn(), setKeepAlive: vi.fn(), bytesRead: 7 };
  return Object.assign(new EventEmitter(), { stream });
}

describe('of a client of pg', () => {
  it('the parts are there', () => {
    const client = new pg.Client();
    expect(keyOfClient(client)).not.toBe(client);
    expect(onSetting(client, () => undefined)).toBe(true);
    expect(rowQueryOf(client, config, () => undefined)).toBeInstanceOf(pg.Query);
    expect(clientClassOf(new pg.Pool())).toBe(pg.Client);
  });

  it('the settings that the server reports are heard', () => {
    const of = connection();
    const heard: string[] = [];
    onSetting(clientOf({ connection: of }), (...setting) => heard.push(...setting));
    of.emit('parameterStatus', { parameterName: 'client_encoding', parameterValue: 'UTF8' });
    expect(heard).toEqual(['client_encoding', 'UTF8']);
  });

  it('the socket is kept alive, looked at and cut off', () => {
    const of = connection();
    const client = clientOf({ connection: of, readyForQuery: false });
    keepAlive(client, 10);
    expect(of.stream.setKeepAlive).toHaveBeenCalledWith(true, 10);
    expect(progressOf(client)).toBe(7);
    expect(progressOf(clientOf({ connection: of, readyForQuery: true }))).toBeUndefined();
    cutOff(client);
    cutOffOnError(client);
    of.emit('error');
    expect(of.stream.destroy).toHaveBeenCalledTimes(2);
  });
});

describe.each<[lacks: string, parts: object]>([
  ['a connection', {}],
  ['a connection that is one', { connection: 'none' }],
  ['a socket and events', { connection: {} }],
  ['a socket that is one', { connection: { stream: {} } }],
])('of a client without %s', (_lacks, parts) => {
  const end = vi.fn();
  const client = clientOf({ ...parts, readyForQuery: false, end });

  it('no setting is heard, and no progress seen', () => {
    expect(onSetting(client, () => undefined)).toBe(false);
    expect(progressOf(client)).toBeUndefined();
    expect(() => {
      keepAlive(client, 10);
      cutOffOnError(client);
    }).not.toThrow();
  });

  it('the connection ends in order instead of being cut off', () => {
    cutOff(client);
    expect(end).toHaveBeenCalledTimes(1);
    expect(() => {
      cutOff(clientOf(parts));
    }).not.toThrow();
  });
});

it('a client without a connection stands for itself', () => {
  const client = clientOf({});
  expect(keyOfClient(client)).toBe(client);
});

it('a pool without a class of its clients has that of pg', () => {
  expect(clientClassOf({} as Pool)).toBe(pg.Client);
});

describe('a query of its own', () => {
  /** Which takes rows, and isn't prepared. */
  class Answering {
    handleDataRow(): void {
      throw new Error('nobody answers');
    }
  }
  const clientWith = (Query: unknown): ClientBase => clientOf({ constructor: { Query } });

  it.each<[lacks: string, Query: unknown]>([
    ['queries', undefined],
    ['queries that are prepared', Answering],
  ])('is none where the client has no %s', (_lacks, Query) => {
    expect(rowQueryOf(clientWith(Query), config, () => undefined)).toBeUndefined();
  });

  it('is refused to a client of pg.native', () => {
    expect(() => rowQueryOf(clientWith(EventEmitter), config, () => undefined)).toThrow(/pg\.native/);
  });
});
