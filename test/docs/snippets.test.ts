import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { commentSnippets, documentSnippets, type Snippet } from './snippets.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
// Inside the project, so that the package finds itself by its own name.
const folder = `${root}test/docs/.snippets/`;
const frontDoors = [
  'core',
  'memory',
  'cache',
  'postgres',
  'pglite',
  'testing',
  ...['workflow', 'activities', 'client', 'worker'].map((door) => `temporal/${door}`),
];

interface Compiled {
  readonly documents: readonly string[];
  readonly comments: readonly string[];
  readonly broken: readonly string[];
}

// In one program: most of the time goes into the types of the libraries.
let errors: Compiled;
beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  errors = typeErrors({
    documents: documentSnippets().map((snippet) => ({ ...snippet, code: `${snippet.code}\nexport {};\n` })),
    comments: commentSnippets().map((snippet) => ({ ...snippet, code: withImports(snippet.code) })),
    broken: [
      {
        place: 'here',
        name: '',
        code: "import { streamId } from 'temporal-event-store';\nstreamId(7, '1');",
      },
    ],
  });
}, 120_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Of a snippet that is named as a file, which others of its document may import. */
function fileOf({ name, place }: Snippet): string | undefined {
  return name.endsWith('.ts') ? `${basename(place, '.md').replace(/\.md:.*$/, '')}/${name}` : undefined;
}

/** Type errors of the snippets, by place. Compiled as a reader's project would: strict. */
function typeErrors(snippets: Record<keyof Compiled, readonly Snippet[]>): Compiled {
  const sources = new Map<string, { readonly kind: string; readonly snippet: Snippet }>(
    Object.entries(snippets).flatMap(([kind, ofKind]) =>
      ofKind.map(
        (snippet, index) =>
          [`${folder}${fileOf(snippet) ?? `${kind}-${index}.ts`}`, { kind, snippet }] as const,
      ),
    ),
  );
  for (const [file, { snippet }] of sources) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, snippet.code);
  }
  const config = ts.getParsedCommandLineOfConfigFile(
    `${root}tsconfig.json`,
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: ({ messageText }) => {
        throw new Error(ts.flattenDiagnosticMessageText(messageText, ' '));
      },
    },
  );
  const program = ts.createProgram([`${root}src/sql/sql-files.d.ts`, ...sources.keys()], {
    ...config?.options,
    noUnusedLocals: false,
    noUnusedParameters: false,
    verbatimModuleSyntax: false,
    noEmit: true,
  });
  const found: Record<keyof Compiled, string[]> = { documents: [], comments: [], broken: [] };
  for (const { file, messageText, start } of ts.getPreEmitDiagnostics(program)) {
    const source = sources.get(file?.fileName ?? '');
    const line = file && start !== undefined ? file.text.slice(0, start).split('\n').length : 0;
    const place = source?.snippet.place ?? file?.fileName ?? '';
    const error = `${place} (+${line}): ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    found[(source?.kind ?? 'documents') as keyof Compiled].push(error);
  }
  return found;
}

/** The names of the package and of the context are there for every example that doesn't define them itself. */
function withImports(code: string): string {
  const wanted = [...importable()].filter(
    ([name]) =>
      new RegExp(`\\b${name}\\b`).test(code) &&
      !new RegExp(`(const|class|function|type|interface) ${name}\\b`).test(code),
  );
  return `${wanted.map(([name, from]) => `import { ${name} } from '${from}';`).join('\n')}\n${code}\nexport {};\n`;
}

let names: ReadonlyMap<string, string> | undefined;
function importable(): ReadonlyMap<string, string> {
  return (names ??= new Map([
    ...exportedNames(
      Object.fromEntries(frontDoors.map((door) => [`src/${door}/index.ts`, `../../../src/${door}/index.js`])),
    ),
    ...exportedNames({ 'test/docs/example-context.ts': '../example-context.js' }),
    ...['Client', 'Connection'].map((name) => [name, '@temporalio/client'] as const),
    ['Worker', '@temporalio/worker'],
    ['Pool', 'pg'],
  ]));
}

describe('the snippets', () => {
  it('of the README and the guides compile', () => {
    expect(documentSnippets().length).toBeGreaterThan(10);
    expect(errors.documents).toEqual([]);
  });

  it('of the doc comments compile', () => {
    expect(commentSnippets().length).toBeGreaterThan(10);
    expect(errors.comments).toEqual([]);
  });

  it('notice a mistake', () => {
    expect(errors.broken).toEqual([expect.stringContaining('not assignable')]);
  });
});

it('the quick start of the README runs, on the built package, and is about 30 lines of code', async () => {
  const [quickStart] = documentSnippets().filter((snippet) => snippet.name === 'quick-start');
  const code = quickStart?.code ?? '';
  expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(35);

  expect(await run('quick-start.ts', code)).toContain('Balance: 5');
});

it.each(
  documentSnippets()
    .filter(({ name }) => name === 'runs')
    .map(({ place, code }, index) => [place, index, code] as const),
)('the snippet at %s, which checks itself, runs on the built package', async (_place, index, code) => {
  await run(`runs-${index}.ts`, code);
});

/** What a program says, in a process of its own. */
async function run(name: string, code: string): Promise<string> {
  const file = `${folder}${name}`;
  writeFileSync(file, code);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fileURLToPath(import.meta.resolve('tsx/cli')), '--tsconfig', `${root}tsconfig.build.json`, file],
    { env: { ...process.env, TEMPORAL_ADDRESS: inject('temporal').address } },
  );
  return stdout;
}

/** The names that files export, each with what to import it from. */
function exportedNames(files: Record<string, string>): [string, string][] {
  const program = ts.createProgram(
    Object.keys(files).map((file) => root + file),
    { noLib: true },
  );
  const checker = program.getTypeChecker();
  return Object.entries(files).flatMap(([file, from]) => {
    const source = program.getSourceFile(root + file);
    const symbol = source && checker.getSymbolAtLocation(source);
    return [...(symbol?.exports?.keys() ?? [])].map((name): [string, string] => [String(name), from]);
  });
}
