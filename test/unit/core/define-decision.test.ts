import { defineDecision, InvalidArgumentError } from 'temporal-event-store';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const definition = {
  name: 'claim',
  home: () => 'Claim-1',
  filter: () => ({}),
  initialState: () => 0,
  evolve: (state: number) => state,
  decide: () => [],
};

describe('defineDecision', () => {
  it('returns what it was given', () => {
    const commands = { Claim: z.object({}), Drop: true };
    const withCommands = { ...definition, commands };
    expect(defineDecision(withCommands)).toBe(withCommands);
  });

  it.each(['name', 'home', 'filter', 'initialState', 'evolve', 'decide'])('needs %s', (field) => {
    expect(() => defineDecision({ ...definition, [field]: undefined })).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(`'${field}'`) as unknown,
      }),
    );
  });

  it.each([
    ['a name that is none', { name: '' }],
    ['a name with a line break', { name: 'a\nb' }],
    ['a value for a function', { initialState: 0 }],
    ['a list of commands that is none', { commands: ['Claim'] }],
    ['a command with a schema that is none', { commands: { Claim: {} } }],
    ['a field that it does not know', { category: 'Claim' }],
    ['a snapshot version', { snapshotVersion: 1 }],
  ])('refuses %s', (_what, fields) => {
    expect(() => defineDecision({ ...definition, ...(fields as object) })).toThrow(InvalidArgumentError);
  });

  it('refuses what is no definition', () => {
    expect(() => defineDecision(undefined as never)).toThrow(InvalidArgumentError);
  });
});
