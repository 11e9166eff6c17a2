import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { EventLogError } from './event-log-error.js';

/**
 * The bytes of a file, unpacked when it is gzip, which its first bytes say and not its name.
 *
 * @throws EventLogError when the file can't be read or unpacked
 */
export async function* readContent(file: string): AsyncGenerator<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(2), 0, 2, 0);
      const stored = handle.createReadStream({ start: 0, autoClose: false });
      const isGzip = bytesRead === 2 && buffer.readUInt16BE() === 0x1f8b;
      // The gunzip stream takes over an error of the file, and a reader that stops early ends both.
      yield* (isGzip ? pipeline(stored, createGunzip(), () => undefined) : stored) as AsyncIterable<Buffer>;
    } finally {
      await handle.close();
    }
  } catch (error) {
    const problem = problems[String((error as NodeJS.ErrnoException).code)];
    if (problem === undefined) throw error;
    throw new EventLogError(problem, { file }, { cause: error });
  }
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file.',
  ENOTDIR: 'there is no such file.',
  EISDIR: 'is a directory, not a file.',
  EACCES: 'may not be read.',
  EPERM: 'may not be read.',
  Z_BUF_ERROR: 'the gzip file is truncated.',
  Z_DATA_ERROR: 'the gzip file is damaged.',
};

/** Decodes UTF-8. @throws EventLogError for what is something else */
export async function* decode(bytes: AsyncIterable<Buffer>, file: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let lines = 1;
  const decodeNext = (chunk?: Buffer): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (error) {
      throw new EventLogError(
        'is neither a CSV nor a XES log: it is not text in UTF-8.',
        { file, line: lines },
        { cause: error },
      );
    }
  };
  for await (const chunk of bytes) {
    yield decodeNext(chunk);
    lines += countLines(chunk);
  }
  yield decodeNext();
}

function countLines(chunk: Buffer): number {
  let lines = 0;
  for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
  return lines;
}
