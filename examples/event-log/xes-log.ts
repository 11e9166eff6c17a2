import { SaxesParser, type SaxesTagPlain } from 'saxes';
import type { JsonValue } from 'temporal-event-store';
import { EventLogError } from './event-log-error.js';
import type { RawEntry } from './log-entry.js';

/** An open element. Attributes are collected in its parent. */
interface Element {
  readonly kind: 'log' | 'trace' | 'event' | 'attribute' | 'values' | 'ignored';
  readonly line: number;
  readonly name: string;
  readonly key: string;
  readonly value: string | undefined;
  readonly attributes: [key: string, value: JsonValue][];
}

const attributeTypes = ['string', 'date', 'int', 'float', 'boolean', 'id', 'list', 'container'];

/**
 * The events of a XES log (IEEE 1849). Numbers and booleans are typed; an attribute that has attributes of its own is
 * `{ value, attributes }`. What describes the log as a whole is left out.
 *
 * @throws EventLogError
 */
export async function* readXesLog(file: string, text: AsyncIterable<string>): AsyncGenerator<RawEntry> {
  const parser = new SaxesParser();
  const open: Element[] = [];
  let read: RawEntry[] = [];
  let trace: RawEntry['caseAttributes'] = {};
  const fail = (problem: string, line = parser.line) => new EventLogError(problem, { file, line });

  parser.on('error', (error) => {
    // Saxes puts `line:column: ` before it.
    throw fail(`the XML is malformed or truncated: ${error.message.replace(/^\d+:\d+: /, '')}`);
  });
  parser.on('opentag', (tag) => {
    const parent = open.at(-1);
    const element = toElement(tag, parent, parser.line, fail);
    // The attributes of a trace stand before its events, which share them.
    if (element.kind === 'event' && parent !== undefined) trace = Object.fromEntries(parent.attributes);
    open.push(element);
  });
  parser.on('closetag', () => {
    const element = open.pop();
    const parent = open.at(-1);
    if (element?.kind === 'event') {
      const attributes = Object.fromEntries(element.attributes);
      read.push({ line: element.line, attributes, caseAttributes: trace });
    } else if (element?.kind === 'attribute') {
      parent?.attributes.push([element.key, valueOf(element, fail)]);
    } else if (element?.kind === 'values') {
      for (const attribute of element.attributes) parent?.attributes.push(attribute);
    }
  });

  for await (const chunk of text) {
    parser.write(chunk);
    yield* read;
    read = [];
  }
  parser.close();
}

function toElement(
  tag: SaxesTagPlain,
  parent: Element | undefined,
  line: number,
  fail: (problem: string) => EventLogError,
): Element {
  const { name } = tag;
  const { key = '', value } = tag.attributes;
  const element = (kind: Element['kind']): Element => ({ kind, line, name, key, value, attributes: [] });
  switch (parent?.kind) {
    case undefined:
      if (name !== 'log') throw fail(`is XML but not XES: its root is <${name}>, not <log>.`);
      return element('log');
    case 'ignored':
      return element('ignored');
    case 'log':
      if (name === 'event') throw fail('the event stands outside of any trace.');
      return element(name === 'trace' ? 'trace' : 'ignored');
    case 'trace':
      if (name === 'event') return element('event');
      break;
    case 'attribute':
      if (name === 'values') return element('values');
  }
  if (!attributeTypes.includes(name) || key === '') {
    throw fail(`<${name}> is not a XES attribute with a key.`);
  }
  return element('attribute');
}

function valueOf(element: Element, fail: (problem: string) => EventLogError): JsonValue {
  const { name, value, attributes } = element;
  // The keys in a list may repeat.
  if (name === 'list') return attributes.map(([key, item]) => ({ [key]: item }));
  if (name === 'container') return Object.fromEntries(attributes);
  if (value === undefined) throw fail(`the attribute '${element.key}' has no value.`);
  const typed = toTyped(name, value);
  if (typed === undefined) throw fail(`'${value.slice(0, 80)}' is no ${name} (attribute '${element.key}').`);
  return attributes.length === 0 ? typed : { value: typed, attributes: Object.fromEntries(attributes) };
}

/** A number that JSON would change stays the text that it is; undefined when it isn't a value of this type at all. */
function toTyped(type: string, text: string): JsonValue | undefined {
  switch (type) {
    case 'int':
      if (!/^[+-]?\d+$/.test(text)) return undefined;
      return String(Number(text)) === text && Number.isSafeInteger(Number(text)) ? Number(text) : text;
    case 'float':
      if (['NaN', 'INF', '-INF'].includes(text)) return text;
      if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) return undefined;
      return Number.isFinite(Number(text)) ? Number(text) : text;
    case 'boolean':
      return ['true', 'false'].includes(text) ? text === 'true' : undefined;
    default:
      return text;
  }
}
