import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EventLogError } from '../../../examples/event-log/event-log-error.js';
import { maxEntrySize, type LogEntry } from '../../../examples/event-log/log-entry.js';
import { fingerprintOf, openEventLog } from '../../../examples/event-log/log-reader.js';
import { temporaryFile } from '../../support/temporary-file.js';

const sample = fileURLToPath(new URL('../../../examples/event-log/sample-log.csv', import.meta.url));

async function read(file: string): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for await (const entry of openEventLog(file).entries) entries.push(entry);
  return entries;
}

async function readText(content: string | Buffer, name = 'log'): Promise<LogEntry[]> {
  return read(await temporaryFile(name, content));
}

const csvHeader =
  'case:concept:name,case:amount,concept:name,org:resource,lifecycle:transition,time:timestamp,note';
const csvLine = 'c1,10,Pay,Ann,complete,2024-01-02 03:04:05+01:00,fine';

const csv = (...lines: string[]): string => [csvHeader, ...lines, ''].join('\n');

const xesEvent = (attributes: string): string => `<event>
<string key="concept:name" value="Pay"/>
<date key="time:timestamp" value="2024-01-02T03:04:05.678+01:00"/>
${attributes}
</event>`;

const xes = (events: string): string => `<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
<global scope="event"><string key="concept:name" value="UNKNOWN"/></global>
<string key="concept:name" value="the log"><int key="of" value="1"/></string>
<trace>
<string key="concept:name" value="c1"/>
<int key="amount" value="10"/>
${events}
</trace>
</log>
`;

describe('a CSV log', () => {
  it('gives an entry for each line, its values as text', async () => {
    const [entry] = await readText(csv(csvLine));
    expect(entry).toEqual({
      line: 2,
      caseId: 'c1',
      activity: 'Pay',
      occurredAt: '2024-01-02T03:04:05+01:00',
      resource: 'Ann',
      lifecycle: 'complete',
      attributes: { note: 'fine' },
      caseAttributes: { amount: '10' },
      size: 175,
    });
  });

  it('has no attribute where a value is empty', async () => {
    const [entry] = await readText(csv('c1,,Pay,,,2024-01-02 03:04:05Z,'));
    expect(entry).toMatchObject({ attributes: {}, caseAttributes: {} });
    expect(entry).not.toHaveProperty('resource');
    expect(entry).not.toHaveProperty('lifecycle');
  });

  it('keeps what is quoted, and counts lines as an editor does', async () => {
    const entries = await readText(
      csv('c1,10,Pay,Ann,,2024-01-02 03:04:05Z,"a ""b"", c\nd"', csvLine).replaceAll('\n', '\r\n'),
    );
    expect(entries.map(({ line, attributes }) => [line, attributes['note']])).toEqual([
      [3, 'a "b", c\r\nd'],
      [4, 'fine'],
    ]);
  });

  it('may begin with a byte order mark, have empty lines and end without a newline', async () => {
    expect(await readText(`\uFEFF${csvHeader}\n\n${csvLine}`)).toHaveLength(1);
  });

  it('may have a column of any name', async () => {
    const [entry] = await readText(`${csvHeader},__proto__,constructor\n${csvLine},a,b\n`);
    expect(Object.entries(entry?.attributes ?? {})).toEqual([
      ['note', 'fine'],
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });

  it('is the one that the example ships, with its cases interleaved', async () => {
    const entries = await read(sample);
    expect(entries).toHaveLength(244);
    expect(new Set(entries.map(({ caseId }) => caseId)).size).toBe(20);
    const changes = entries.filter(({ caseId }, index) => caseId !== entries[index - 1]?.caseId);
    expect(changes.length).toBeGreaterThan(20);
  });
});

describe('a XES log', () => {
  it('gives an entry for each event, its values typed', async () => {
    const event = xesEvent(`<string key="org:resource" value="Ann &amp; Bo"/>
<string key="lifecycle:transition" value="START"/>
<int key="count" value="-3"/>
<float key="price" value="1.50"/>
<boolean key="paid" value="true"/>
<id key="ref" value="a-1"/>
<date key="due" value="2024-02-01T00:00:00Z"/>`);
    expect(await readText(xes(event))).toMatchObject([
      {
        line: 9,
        caseId: 'c1',
        activity: 'Pay',
        occurredAt: '2024-01-02T03:04:05.678+01:00',
        resource: 'Ann & Bo',
        lifecycle: 'START',
        attributes: { count: -3, price: 1.5, paid: true, ref: 'a-1', due: '2024-02-01T00:00:00Z' },
        caseAttributes: { amount: 10 },
      },
    ]);
  });

  it.each([
    ['int', '9007199254740993', '9007199254740993'],
    ['int', '007', '007'],
    ['float', '1e999', '1e999'],
    ['float', 'NaN', 'NaN'],
    ['float', '-INF', '-INF'],
    ['float', '1e3', 1000],
  ])('keeps a number that JSON would change as text: %s %s', async (type, value, expected) => {
    const [entry] = await readText(xes(xesEvent(`<${type} key="n" value="${value}"/>`)));
    expect(entry?.attributes).toEqual({ n: expected });
  });

  it('keeps attributes of attributes, lists and containers', async () => {
    const [entry] = await readText(
      xes(
        xesEvent(`<string key="a" value="x"><int key="b" value="1"/></string>
<list key="l"><values><string key="i" value="p"/><string key="i" value="q"/></values></list>
<container key="c"><int key="d" value="2"/></container>`),
      ),
    );
    expect(entry?.attributes).toEqual({
      a: { value: 'x', attributes: { b: 1 } },
      l: [{ i: 'p' }, { i: 'q' }],
      c: { d: 2 },
    });
  });

  it.each([
    ['int', '+7', '+7'],
    ['int', '12', 12],
    ['float', '+1.5', 1.5],
    ['float', '-12.5', -12.5],
    ['float', '.25', 0.25],
    ['float', '7.', 7],
    ['float', '1e-2', 0.01],
    ['float', '1.5E+10', 15_000_000_000],
    ['boolean', 'false', false],
  ])('reads the %s %s', async (type, value, expected) => {
    const [entry] = await readText(xes(xesEvent(`<${type} key="n" value="${value}"/>`)));
    expect(entry?.attributes).toEqual({ n: expected });
  });

  it('may have more beside its traces, which is left out', async () => {
    const log = xes(xesEvent('')).replace('<trace>', '<meta><any><event/></any><trace/></meta><trace>');
    expect(await readText(log)).toMatchObject([{ caseId: 'c1', activity: 'Pay' }]);
  });

  it('may begin with blank lines', async () => {
    const log = xes(xesEvent('')).replace(/^<\?xml.*\n/, '\n\n');
    expect(await readText(log)).toHaveLength(1);
  });

  it('may have somebody who is true or false', async () => {
    const event = xesEvent('<boolean key="org:resource" value="false"/>');
    expect(await readText(xes(event))).toMatchObject([{ resource: 'false' }]);
  });

  it('may number its activities, cases and resources', async () => {
    const log = xes(xesEvent('<int key="org:resource" value="112"><int key="x" value="1"/></int>'))
      .replace('<string key="concept:name" value="c1"/>', '<int key="concept:name" value="173688"/>')
      .replace('<string key="concept:name" value="Pay"/>', '<int key="concept:name" value="7"/>');
    expect(await readText(log)).toMatchObject([{ caseId: '173688', activity: '7', resource: '112' }]);
  });
});

describe('the limits of a log', () => {
  it('are 900 bytes for a name', async () => {
    const [entry] = await readText(csv(csvLine.replace('c1', 'c'.repeat(900))));
    expect(entry?.caseId).toHaveLength(900);
  });

  it('are half a megabyte for a line', async () => {
    const [{ size } = { size: 0 }] = await readText(csv(csvLine));
    const filling = `fine${'x'.repeat(maxEntrySize - size)}`;
    expect(await readText(csv(csvLine.replace('fine', filling)))).toMatchObject([{ size: maxEntrySize }]);
    await expect(readText(csv(csvLine.replace('fine', `${filling}x`)))).rejects.toThrow('500001 bytes');
  });

  it('are none for its length, whatever characters end where a piece of it ends', async () => {
    const note = 'ü'.repeat(100_000);
    const [one, other] = [csvLine.replace('fine', note), csvLine.replace('fine', `x${note}`)];
    expect((await readText(csv(one, other))).map(({ attributes }) => attributes['note'])).toEqual([
      note,
      `x${note}`,
    ]);
  });
});

describe('a log that is packed with gzip', () => {
  it.each([
    ['CSV', csv(csvLine)],
    ['XES', xes(xesEvent(''))],
  ])('is read whatever its name says: %s', async (_format, content) => {
    const plain = await readText(content, 'log.txt');
    expect(await readText(gzipSync(content), 'log.xes.gz')).toEqual(plain);
    expect(await readText(gzipSync(content), 'log.csv')).toEqual(plain);
    expect(plain).toHaveLength(1);
  });

  it('has the fingerprint of its content, which is known when it is read', async () => {
    const packed = await temporaryFile('other.csv.gz', gzipSync(await readFile(sample)));
    const log = openEventLog(packed);
    for await (const entry of log.entries) expect(entry.line).toBeGreaterThan(1);
    expect(log.fingerprint()).toMatch(/^[0-9a-f]{64}$/);
    expect(log.fingerprint()).toBe(await fingerprintOf(packed));
    expect(log.fingerprint()).toBe(await fingerprintOf(sample));
  });
});

describe('a time', () => {
  it.each([
    ['2024-01-02 03:04:05+01:00', '2024-01-02T03:04:05+01:00'],
    ['2024-01-02T03:04:05.123456Z', '2024-01-02T03:04:05.123456Z'],
    ['2024-02-29 23:59:59 -0930', '2024-02-29T23:59:59-0930'],
    ['0001-01-31 10:00:00Z', '0001-01-31T10:00:00Z'],
    ['9999-12-31 23:59:59Z', '9999-12-31T23:59:59Z'],
  ])('is read: %s', async (time, expected) => {
    const [entry] = await readText(csv(csvLine.replace('2024-01-02 03:04:05+01:00', time)));
    expect(entry?.occurredAt).toBe(expected);
  });

  it.each([
    '2024-01-02 03:04:05',
    '2024-01-02',
    '2023-02-29 00:00:00Z',
    '2024-13-01 00:00:00Z',
    '2024-01-00 00:00:00Z',
    '2024-01-02 24:00:00Z',
    '0000-01-02 00:00:00Z',
    '0001-01-01 00:00:00+01:00',
    '9999-12-31 23:30:00-01:00',
    '02/01/2024 03:04',
    'yesterday',
  ])('is refused with its line: %s', async (time) => {
    const log = csv(csvLine, csvLine.replace('2024-01-02 03:04:05+01:00', time));
    await expect(readText(log)).rejects.toMatchObject({
      name: 'EventLogError',
      line: 3,
      message: expect.stringContaining(time) as string,
    });
  });
});

describe('a file that is not a whole log', () => {
  const gzip = gzipSync(csv(...Array.from({ length: 2000 }, (_, index) => `${csvLine} ${index}`)));
  const middle = Math.floor(gzip.length / 2);
  const damaged = Buffer.from(gzip);
  // The checksum of the content stands in the last 8 bytes.
  damaged.fill(0xff, gzip.length - 8);
  const long = 'x'.repeat(maxEntrySize);

  it.each<[what: string, content: string | Buffer, problem: RegExp, line: number | undefined]>([
    ['an empty file', '', /is empty/, undefined],
    ['blank lines', ' \n\n', /is empty/, undefined],
    ['gzip of nothing', gzipSync(''), /is empty/, undefined],
    ['a header alone', csv(), /no events/, undefined],
    ['a XES log without events', xes(''), /no events/, undefined],
    ['binary rubbish', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe, 0]), /not text in UTF-8/, 1],
    ['text in another encoding', Buffer.from(csv(csvLine.replace('Ann', 'Änn')), 'latin1'), /UTF-8/, 1],
    ['zeros', Buffer.alloc(100), /no column case:concept:name/, 1],
    [
      'other text',
      'Dear all,\nhow are you?\n',
      /no column case:concept:name, concept:name, time:timestamp/,
      1,
    ],
    ['a missing column', csv(csvLine).replace('time:', 'date:'), /no column time:timestamp\./, 1],
    ['a column that is there twice', csv(csvLine).replace('note', 'case:amount'), /'case:amount'.* twice/, 1],
    ['a field too many', csv(csvLine, `${csvLine},x`), /malformed.*expect 7, got 8/, 3],
    ['a field too few', csv(csvLine, csvLine.replace(',fine', '')), /malformed.*expect 7, got 6/, 3],
    ['a quote left open', csv(csvLine, `${csvLine.slice(0, -4)}"fine`), /Quote Not Closed/, 3],
    ['CSV that ends in the middle', csv(csvLine).slice(0, -30), /malformed/, 2],
    ['a line without a case', csv(csvLine, csvLine.replace('c1', '')), /no case id/, 3],
    ['a line without an activity', csv(csvLine.replace('Pay', '')), /no activity/, 2],
    ['a line without a time', csv(csvLine.replace('2024-01-02 03:04:05+01:00', '')), /no time/, 2],
    ['an activity that no type can be', csv(csvLine.replace('Pay', 'Pay\u0007')), /activity.*characters/, 2],
    [
      'a case id that no stream can have',
      csv(csvLine.replace('c1', 'c'.repeat(901))),
      /case id is longer/,
      2,
    ],
    ['a line too large for a commit', csv(csvLine.replace('fine', long)), /more than 500000/, 2],
    ['a line without an end', csv(csvLine.replace('fine', `"${long}${long}`)), /malformed/, 2],
    ['truncated gzip', gzip.subarray(0, middle), /gzip file is truncated/, undefined],
    ['damaged gzip', damaged, /gzip file is damaged/, undefined],
    ['another XML', '<?xml version="1.0"?>\n<html></html>', /root is <html>/, 2],
    ['XML that is no XML', '<log>\n<trace>\n</event>\n</log>', /malformed/, 3],
    ['XES that ends in the middle', xes(xesEvent('')).slice(0, -10), /truncated: unclosed tag/, 14],
    ['XES that ends inside of a tag', xes(xesEvent('')).slice(0, -18), /truncated/, 13],
    ['XES with more after it', `${xes(xesEvent(''))}<log/>`, /malformed/, 16],
    ['an undefined entity', xes(xesEvent('<string key="a" value="&who;"/>')), /malformed.*entity/, 12],
    ['an event outside of a trace', '<log>\n<event/></log>', /outside of any trace/, 2],
    ['a trace without a name', xes(xesEvent('')).replace('"c1"', '""'), /no case id/, 9],
    ['an event with an empty time', xes(xesEvent('')).replace(/value="2024.*"/, 'value=""'), /no time/, 9],
    ['an int with more before it', xes(xesEvent('<int key="n" value="x7"/>')), /'x7' is no int/, 12],
    ['an int with more behind it', xes(xesEvent('<int key="n" value="7x"/>')), /'7x' is no int/, 12],
    ['a float with more before it', xes(xesEvent('<float key="n" value="x1"/>')), /'x1' is no float/, 12],
    ['a float with more behind it', xes(xesEvent('<float key="n" value="1e"/>')), /'1e' is no float/, 12],
    ['an int that is none', xes(xesEvent('<int key="n" value="many"/>')), /'many' is no int/, 12],
    ['a float that is none', xes(xesEvent('<float key="n" value=""/>')), /'' is no float/, 12],
    ['a boolean that is none', xes(xesEvent('<boolean key="n" value="1"/>')), /'1' is no boolean/, 12],
    ['an attribute without a value', xes(xesEvent('<string key="n"/>')), /'n' has no value/, 12],
    ['an attribute without a key', xes(xesEvent('<string value="n"/>')), /not a XES attribute/, 12],
    ['an element that XES does not have', xes(xesEvent('<text key="n" value="1"/>')), /<text>/, 12],
  ])('is refused: %s', async (_what, content, problem, line) => {
    const file = await temporaryFile('broken', content);
    const error: unknown = await read(file).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EventLogError);
    const { message, ...place } = error as EventLogError;
    expect(place).toMatchObject({ file, line });
    expect(message).toMatch(problem);
    expect(message.startsWith(line === undefined ? `${file}: ` : `${file}, line ${line}: `)).toBe(true);
  });

  it('is refused with a line that is near the fault, where it is long', async () => {
    const lines = Array.from({ length: 3_000 }, () => csvLine);
    const head = Buffer.from(csv(...lines));
    const file = await temporaryFile('long', Buffer.concat([head, Buffer.from('Änn', 'latin1')]));
    const error: unknown = await read(file).catch((reason: unknown) => reason);
    // It is read in pieces of 64 KiB, about a third of it each.
    expect((error as EventLogError).line).toBeGreaterThan(1_500);
    expect((error as EventLogError).line).toBeLessThanOrEqual(3_002);
  });

  it('is refused with the line as an editor counts it, behind lines that are quoted', async () => {
    const quoted = csvLine.replace('fine', '"a\nb\nc"');
    const log = csv(quoted, `${csvLine},x`).replaceAll('\n', '\r\n');
    await expect(readText(log)).rejects.toMatchObject({
      line: 5,
      cause: { code: expect.any(String) as unknown },
    });
  });

  it('is refused with what the system said', async () => {
    await expect(read(join(tmpdir(), 'no-such-log.csv'))).rejects.toMatchObject({
      cause: { code: 'ENOENT' },
    });
    const text = await temporaryFile('text', Buffer.from([0xff, 0xfe]));
    await expect(read(text)).rejects.toMatchObject({ cause: { code: 'ERR_ENCODING_INVALID_ENCODED_DATA' } });
    await expect(read('no\0path')).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  });

  it.each([
    ['is not there', join(tmpdir(), 'no-such-log.csv'), /no such file/],
    ['is a directory', tmpdir(), /directory/],
  ])('is refused: one that %s', async (_what, file, problem) => {
    await expect(read(file)).rejects.toMatchObject({ name: 'EventLogError', file, line: undefined });
    await expect(fingerprintOf(file)).rejects.toThrow(problem);
  });
});
