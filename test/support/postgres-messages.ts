/** One message of PostgreSQL's protocol, whole. */
export interface Message {
  /** Its first byte as a letter; empty for the first message of a client, which has none. */
  readonly type: string;
  readonly body: Buffer;
  readonly bytes: Buffer;
}

/** Cuts what one side sends into messages. */
export function messageReader(side: 'client' | 'server'): (chunk: Buffer) => Message[] {
  let rest = Buffer.alloc(0);
  let typeLength = side === 'client' ? 0 : 1;
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    const messages: Message[] = [];
    for (;;) {
      if (rest.length < typeLength + 4) return messages;
      const length = typeLength + rest.readUInt32BE(typeLength);
      if (rest.length < length) return messages;
      const bytes = rest.subarray(0, length);
      messages.push({
        type: bytes.toString('latin1', 0, typeLength),
        body: bytes.subarray(typeLength + 4),
        bytes,
      });
      rest = rest.subarray(length);
      typeLength = 1;
    }
  };
}

/** What a client asked for up to the point where it waits, and what the server did about it. */
export interface Exchange {
  readonly sql: readonly string[];
  /** What the server says it has done, as `COMMIT` or `INSERT 0 1`. */
  readonly tags: readonly string[];
}

/** Follows the requests of one client, which may send several before the server answers the first. */
export function requestReader(): { read(chunk: Buffer): void; readonly waiting: string[][] } {
  const split = messageReader('client');
  const prepared = new Map<string, string>();
  const waiting: string[][] = [];
  let sql: string[] = [];
  return {
    waiting,
    read(chunk) {
      for (const { type, body } of split(chunk)) {
        const [first = '', second = ''] = body.toString('utf8').split('\0', 2);
        if (type === 'P') prepared.set(first, second);
        if (type === 'B') sql.push(prepared.get(second) ?? '');
        if (type === 'Q') sql.push(first);
        // Query and Sync are what the server answers with ReadyForQuery.
        if (type !== 'Q' && type !== 'S') continue;
        waiting.push(sql);
        sql = [];
      }
    },
  };
}
