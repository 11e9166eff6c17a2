import { describe, expect, it } from 'vitest';
import { Hosts } from '../../../src/postgres/hosts.js';

describe('the hosts of a connection string', () => {
  it.each([
    ['postgres://localhost/db', ['postgres://localhost/db']],
    ['postgres:///db?host=/var/run', ['postgres:///db?host=/var/run']],
    ['/var/run/postgresql db', ['/var/run/postgresql db']],
    ['postgres://a:1,b:2/db', ['postgres://a:1/db', 'postgres://b:2/db']],
    [
      'postgres://u:p@x%2Cy@a,b:2/db?ssl=1',
      ['postgres://u:p@x%2Cy@a/db?ssl=1', 'postgres://u:p@x%2Cy@b:2/db?ssl=1'],
    ],
    ['postgresql://[::1]:1,[::2]/', ['postgresql://[::1]:1/', 'postgresql://[::2]/']],
    ['postgres://u@/db?host=a,b&port=1,2', ['postgres://u@a:1/db?', 'postgres://u@b:2/db?']],
    ['postgres://u@/db?host=a,b&port=1&ssl=1', ['postgres://u@a:1/db?ssl=1', 'postgres://u@b:1/db?ssl=1']],
    ['postgres://u@/db?host=a,b', ['postgres://u@a/db?', 'postgres://u@b/db?']],
  ])('of %s are each an address', (connectionString, addresses) => {
    expect(new Hosts(connectionString).all).toEqual(addresses);
  });

  it('are tried in turns, from the one that turned out wrong', () => {
    const hosts = new Hosts('postgres://a,b,c/db');
    const [a, b, c] = hosts.all as [string, string, string];
    expect([hosts.current, hosts.count]).toEqual([a, 3]);
    hosts.moveOnFrom(a);
    // Another connection to it was lost at the same time.
    hosts.moveOnFrom(a);
    expect(hosts.current).toBe(b);
    hosts.moveOnFrom(b);
    expect(hosts.current).toBe(c);
    hosts.moveOnFrom(c);
    expect(hosts.current).toBe(a);
  });

  const standby = { since: 0, isStandby: true, isReadOnly: false };
  const readOnly = { since: 0, isStandby: false, isReadOnly: true };
  const primary = { since: 0, isStandby: false, isReadOnly: false };
  const silent = { since: 0, isStandby: undefined, isReadOnly: undefined };

  it.each([
    ['a single one', 'postgres://a/db', [standby, readOnly, primary, silent]],
    ['several', 'postgres://a,b/db', [primary, silent]],
    ['any of several', 'postgres://a,b/db?target_session_attrs=any', [standby, readOnly, primary, silent]],
    ['the primary', 'postgres://a,b/db?target_session_attrs=primary', [readOnly, primary, silent]],
    ['one that takes writes', 'postgres://a/db?target_session_attrs=read-write', [primary, silent]],
  ])('that are wanted: %s', (_which, connectionString, wanted) => {
    const hosts = new Hosts(connectionString);
    const accepted = [standby, readOnly, primary, silent].filter(
      (facts) => hosts.refusalOf(facts) === undefined,
    );
    expect(accepted).toEqual(wanted);
  });

  it.each(['standby', 'prefer-standby', 'read-only', 'nonsense'])('may not be wanted as %s', (target) => {
    expect(() => new Hosts(`postgres://a,b/db?target_session_attrs=${target}`)).toThrow(
      `target_session_attrs is '${target}'`,
    );
  });
});
