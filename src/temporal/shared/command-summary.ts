import { utf8Length } from '../../core/values/json.js';

/** Most bytes of a summary. Temporal's server takes 400, and a codec adds some. */
const maxBytes = 200;
/** Most of these bytes for the command's name; the id gets the rest. */
const maxNameBytes = 80;

/** Describes a command in Temporal's UI, such as `Account/7 withdraw`. */
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
