/** A parameter: text, or the binary form of its type. */
export type WireValue = string | Buffer | null;

// Portal and number of rows: the one without a name, all of them. And Sync, which ends what the server answers as one.
const executeAndSync = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);

/**
 * What has the server run a statement that it knows: Bind, Execute and Sync, in one piece. Rows come as text. It leaves out
 * Describe, which asks for the names and types of the columns.
 *
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 *
 * @param name of the statement; empty for the one without
 */
export function encodeExecution(name: string, values: readonly WireValue[]): Buffer {
  const nameLength = Buffer.byteLength(name);
  const lengths = values.map(byteLengthOf);
  const bindLength = 4 + 1 + nameLength + 1 + 2 + 2 * values.length + 2 + sum(lengths) + 2;
  const message = Buffer.allocUnsafe(1 + bindLength + executeAndSync.length);
  message[0] = 0x42;
  let offset = message.writeInt32BE(bindLength, 1);
  message[offset++] = 0; // the portal without a name
  offset += message.write(name, offset);
  message[offset++] = 0;
  offset = message.writeInt16BE(values.length, offset);
  for (const value of values) offset = message.writeInt16BE(Number(Buffer.isBuffer(value)), offset);
  offset = message.writeInt16BE(values.length, offset);
  for (const [index, value] of values.entries()) {
    const length = (lengths[index] as number) - 4;
    offset = message.writeInt32BE(value === null ? -1 : length, offset);
    if (typeof value === 'string') message.write(value, offset);
    else if (value !== null) message.set(value, offset);
    offset += length;
  }
  offset = message.writeInt16BE(0, offset); // all columns as text
  message.set(executeAndSync, offset);
  return message;
}

/** What makes a statement known: Parse. The types of its parameters are left to the server. */
export function encodePreparation(name: string, text: string): Buffer {
  const body = Buffer.from(`${name}\0${text}\0\0\0`);
  const message = Buffer.allocUnsafe(5 + body.length);
  message[0] = 0x50;
  message.writeInt32BE(4 + body.length, 1);
  message.set(body, 5);
  return message;
}

/** With the four bytes that say it. */
function byteLengthOf(value: WireValue): number {
  if (value === null) return 4;
  return 4 + (typeof value === 'string' ? Buffer.byteLength(value) : value.length);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
