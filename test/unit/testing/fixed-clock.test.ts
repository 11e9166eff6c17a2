import { fixedClock } from 'temporal-event-store/testing';
import { expect, it } from 'vitest';

it('stands still', () => {
  const clock = fixedClock();
  expect([clock(), clock()]).toEqual([new Date('2024-01-01T00:00:00Z'), new Date('2024-01-01T00:00:00Z')]);
});

it('begins where it is told', () => {
  expect(fixedClock('2020-02-03T04:05:06.007Z')()).toEqual(new Date('2020-02-03T04:05:06.007Z'));
  expect(fixedClock(new Date(0))()).toEqual(new Date(0));
});

it('moves on by milliseconds, and back', () => {
  const clock = fixedClock(new Date(0));
  clock.advance(1500);
  clock.advance(-500);
  expect(clock()).toEqual(new Date(1000));
});

it('jumps to a time', () => {
  const clock = fixedClock();
  clock.set('2030-01-01T00:00:00Z');
  expect(clock()).toEqual(new Date('2030-01-01T00:00:00Z'));
});

it('does not change when a reader changes the date that it got', () => {
  const clock = fixedClock(new Date(0));
  clock().setFullYear(1999);
  expect(clock()).toEqual(new Date(0));
});

it.each(['yesterday', '', new Date(Number.NaN)])('refuses %s', (time) => {
  expect(() => fixedClock(time)).toThrow(RangeError);
  expect(() => {
    fixedClock().set(time);
  }).toThrow(RangeError);
});
