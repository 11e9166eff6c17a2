/** The password in an address that came where none belongs: `scheme://user:password@host` or `?password=`. */
const password = /(?<=:\/\/[^/?#]*?:).*(?=@)|(?<=[?&]password=)[^&]*/gs;

/** A value in an error message: short, never one that throws, and without the password of an address. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case 'string': {
      const text = value.replace(password, '…');
      return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
    }
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return String(value);
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object';
    default:
      return `a ${typeof value}`;
  }
}
