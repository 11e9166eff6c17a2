import type { SqlArray, SqlArrayType, SqlValue } from '../sql/sql-port.js';

type Element = string | number;

interface ElementType {
  /** https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat */
  readonly oid: number;
  readonly sizeOf: (value: Element) => number;
  /** Returns the number of bytes written. */
  readonly write: (buffer: Buffer, view: DataView, offset: number, value: Element) => number;
}

const text = {
  sizeOf: (value: Element) => Buffer.byteLength(value as string),
  write: (buffer: Buffer, _: DataView, offset: number, value: Element) =>
    buffer.write(value as string, offset),
};

const elementTypes: Readonly<Record<SqlArrayType, ElementType>> = {
  text: { oid: 25, ...text },
  json: { oid: 114, ...text },
  uuid: { oid: 2950, sizeOf: () => 16, write: writeUuid },
  integer: { oid: 23, sizeOf: () => 4, write: writeInteger },
  bigint: { oid: 20, sizeOf: () => 8, write: writeBigint },
};

const headerSize = 20;

/**
 * Values as `pg` takes them, with arrays in the binary form of PostgreSQL's protocol: 1.2 times as fast to append as
 * their text form. All arrays share a buffer: allocating one for each takes as long as writing them.
 */
export function encodeValues(values: readonly SqlValue[]): unknown[] {
  let size = 0;
  for (const value of values) if (isArray(value)) size += sizeOfArray(value);
  if (size === 0) return [...values];
  const buffer = Buffer.allocUnsafe(size);
  const view = new DataView(buffer.buffer, buffer.byteOffset, size);
  let end = 0;
  return values.map((value) => {
    if (!isArray(value)) return value;
    const start = end;
    end = writeArray(buffer, view, start, value);
    return buffer.subarray(start, end);
  });
}

function isArray(value: SqlValue): value is SqlArray {
  return typeof value === 'object' && value !== null;
}

function sizeOfArray({ type, values }: SqlArray): number {
  const { sizeOf } = elementTypes[type];
  let size = headerSize;
  for (const value of values) size += 4 + (value === null ? 0 : sizeOf(value));
  return size;
}

/** Returns the offset behind the array. */
function writeArray(buffer: Buffer, view: DataView, start: number, { type, values }: SqlArray): number {
  const { oid, write } = elementTypes[type];
  view.setInt32(start, values.length === 0 ? 0 : 1); // dimensions
  view.setInt32(start + 4, values.includes(null) ? 1 : 0);
  view.setInt32(start + 8, oid);
  if (values.length === 0) return start + 12;
  view.setInt32(start + 12, values.length);
  view.setInt32(start + 16, 1); // lower bound
  let offset = start + headerSize;
  for (const value of values) {
    const size = value === null ? -1 : write(buffer, view, offset + 4, value);
    view.setInt32(offset, size);
    offset += 4 + Math.max(size, 0);
  }
  return offset;
}

function writeInteger(_: Buffer, view: DataView, offset: number, value: Element): number {
  view.setInt32(offset, value as number);
  return 4;
}

/** In halves: making a BigInt of a safe integer first takes several times as long. */
function writeBigint(_: Buffer, view: DataView, offset: number, value: Element): number {
  view.setInt32(offset, Math.floor((value as number) / 0x1_0000_0000));
  view.setInt32(offset + 4, value as number);
  return 8;
}

/** Digit by digit: making a text without hyphens first takes four times as long. */
function writeUuid(_: Buffer, view: DataView, offset: number, value: Element): number {
  const uuid = value as string;
  let [byte, digits] = [0, 0];
  for (let index = 0; index < uuid.length; index++) {
    const code = uuid.charCodeAt(index);
    if (code === 0x2d) continue; // a hyphen
    byte = (byte << 4) | (code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57);
    if (digits++ % 2 === 1) view.setUint8(offset + (digits >> 1) - 1, byte);
  }
  return 16;
}
