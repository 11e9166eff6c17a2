/**
 * Takes the next waiting items in turns: one of each aggregate, then the next of each, so that no aggregate waits
 * for all items of another. The order within an aggregate stays.
 *
 * @param take whether there is room for one more; not called again once there is none
 */
export function takeFairly<T>(
  waiting: Iterable<T>,
  idOf: (item: T) => string,
  take: (item: T) => boolean,
): readonly T[] {
  const byId = new Map<string, T[]>();
  for (const item of waiting) {
    const id = idOf(item);
    const ofId = byId.get(id);
    if (ofId === undefined) byId.set(id, [item]);
    else ofId.push(item);
  }
  const taken: T[] = [];
  for (let turn = 0; byId.size > 0; turn++) {
    for (const [id, ofId] of byId) {
      const item = ofId[turn];
      if (item === undefined) byId.delete(id);
      else if (take(item)) taken.push(item);
      else return taken;
    }
  }
  return taken;
}
