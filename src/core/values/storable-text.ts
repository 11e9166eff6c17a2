/** What a text in a database can hold of any: no zero byte, and no half of a character. */
export function storableText(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD').toWellFormed();
}
