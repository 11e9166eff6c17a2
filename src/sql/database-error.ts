/** The fields of a server's error that name things, and never hold a value of a row or a parameter. */
const names = ['code', 'severity', 'routine', 'schema', 'table', 'column', 'dataType', 'constraint'] as const;

/**
 * Copies a server's error without the values of rows and parameters, so that no log and no caller learns them. Leaves
 * out the fields that may quote them: `detail`, `hint`, `where`, `internalQuery`, and those that drivers add, such as
 * `params`.
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

/** Data exceptions (class 22) quote the offending value, in the quotes of the server's language or behind a colon. */
export function messageWithoutValues(error: object): string {
  const { message = '', code } = error as { readonly message?: unknown; readonly code?: unknown };
  const text = String(message);
  if (typeof code !== 'string' || !code.startsWith('22')) return text;
  return text.replace(/:.*$/s, '').replaceAll(/["«»„“”].*["«»„“”]/gs, '"…"');
}
