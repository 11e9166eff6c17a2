/**
 * The shard that a stream belongs to: FNV-1a over its UTF-16 code units, which is cheap enough to ask for every event.
 * It must never change, or a build would apply events twice. See http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function shardOf(streamId: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < streamId.length; index++) {
    hash = Math.imul(hash ^ streamId.charCodeAt(index), 0x01000193);
  }
  // The low bits of FNV-1a differ least for ids that end in a running number.
  return ((hash ^ (hash >>> 15)) >>> 0) % shards;
}
