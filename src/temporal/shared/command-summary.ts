import { utf8Length } from '../../core/values/json.js';

/** Bytes of a summary; Temporal's server takes 400, and a codec adds to it. */
const maxBytes = 200;
/** Most of them for the name of the command, which is the last that should be cut. */
const maxNameBytes = 80;

/** What Temporal's UI shows of a command: `Account/7 withdraw`. */
export function commandSummary(category: string, id: string, name: string): string {
  const shownName = cut(name, maxNameBytes);
  return `${cut(`${category}/${id}`, maxBytes - 1 - utf8Length(shownName))} ${shownName}`;
}

function cut(text: string, most: number): string {
  if (utf8Length(text) <= most) return text;
  let kept = '';
  let left = most - utf8Length('…');
  for (const character of text) {
    left -= utf8Length(character);
    if (left < 0) break;
    kept += character;
  }
  return `${kept}…`;
}
