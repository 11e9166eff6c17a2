/** The effect of a statement on its transaction or session. */
export type StatementKind =
  /** Begins a transaction; one with modes other than the sink's is `ends`. */
  | 'begin'
  | 'commit'
  | 'rollback'
  /** Anything else that ends, prepares or changes the transaction. */
  | 'ends'
  /** Changes the session beyond the transaction. */
  | 'session'
  | 'plain';

/** Parts of a text that hide a semicolon: comments, strings with and without escapes, quoted names, dollar quotes. */
const hidden =
  /--[^\n]*|\/\*[\s\S]*?\*\/|(?<!\w)e'(?:[^'\\]|\\[\s\S])*'|'[^']*'|"[^"]*"|\$([a-z_]\w*)?\$[\s\S]*?\$\1\$/gi;

/** The statements of a text, in lower case, without quoted parts and comments. */
export function statementsOf(text: string): readonly string[] {
  const end = text.indexOf(';');
  const isOne = (end === -1 || text.trimEnd().length === end + 1) && /^\s*[a-z]/i.test(text);
  // A single statement may be long, and its first words tell its kind.
  const shown = isOne ? text.slice(0, 200).replace(/;\s*$/, '') : text.replaceAll(hidden, ' ');
  return (isOne ? [shown] : shown.split(';'))
    .map((each) => each.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ').replaceAll(/\s+/g, ' '))
    .map((each) => each.trim().toLowerCase())
    .filter((each) => each !== '');
}

const kinds: readonly (readonly [pattern: RegExp, kind: StatementKind])[] = [
  [
    /^(begin|start transaction)( work| transaction)?( |,|isolation level read committed|read write|(not )?deferrable)*$/,
    'begin',
  ],
  [/^(commit|end)( work| transaction)?( and no chain)?$/, 'commit'],
  [/^(rollback|abort)( work| transaction)?( and no chain)?$/, 'rollback'],
  [/^rollback( work| transaction)? to /, 'plain'],
  [
    /^(begin|start|commit|end|rollback|abort|prepare transaction|set (local |session )?transaction)\b/,
    'ends',
  ],
  [/^set (local|constraints)\b/, 'plain'],
  [/^(set|reset|discard|listen|unlisten|prepare|deallocate)\b/, 'session'],
];

/** @param statement one of {@link statementsOf} */
export function kindOf(statement: string): StatementKind {
  return kinds.find(([pattern]) => pattern.test(statement))?.[1] ?? 'plain';
}

/** Whether a text has, anywhere in it, a cursor or a setting that outlives its transaction. */
export function outlivesTransaction(text: string): boolean {
  return (
    /\bcursor\s+with\s+hold\b/i.test(text) ||
    /\bset_config\s*\((?:[^()]|\([^()]*\))*,\s*(?:false|'f(?:alse)?'|'off'|'no?'|'0')\s*\)/i.test(text)
  );
}

/** Whether a text may make tables that the session keeps. */
export function mayMakeTemporary(text: string): boolean {
  return /\b(?:pg_)?temp(?:orary)?\b/i.test(text);
}
