/** The fields of a server's error that name things, and never hold what is in a row or a parameter. */
const names = ['code', 'severity', 'routine', 'schema', 'table', 'column', 'dataType', 'constraint'] as const;

/**
 * What the server said, without the values of rows and parameters: neither a log nor whoever gets the error may learn them by
 * it. Left out is what may quote them: `detail`, `hint`, `where`, `internalQuery`, and what drivers add, such as `params`.
 *
 * @param error with an SQLSTATE
 */
export function withoutValues(error: object): Error {
  const { name = 'error', stack = '', ...said } = error as Partial<Error> & Readonly<Record<string, unknown>>;
  const message = messageWithoutValues(error);
  const copy = new Error(message);
  Object.defineProperty(copy, 'name', { value: name, configurable: true, writable: true });
  const frames = /^ {4}at .*/ms.exec(stack)?.[0];
  copy.stack = `${name}: ${message}${frames === undefined ? '' : `\n${frames}`}`;
  for (const field of names) {
    const value = said[field];
    if (typeof value === 'string') Object.assign(copy, { [field]: value });
  }
  return copy;
}

/** Data exceptions (class 22) quote the value that they are about, in the quotes of the server's language or behind a colon. */
export function messageWithoutValues(error: object): string {
  const { message = '', code } = error as { readonly message?: unknown; readonly code?: unknown };
  const text = String(message);
  if (typeof code !== 'string' || !code.startsWith('22')) return text;
  return text.replace(/:.*$/s, '').replaceAll(/["«»„“”].*["«»„“”]/gs, '"…"');
}
