import { execFile } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
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

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Type errors of the snippets, by place. Compiled as a reader's project would: strict. */
function typeErrors(
  snippets: readonly Snippet[],
  prefix: string,
  complete: (code: string) => string,
): string[] {
  const files = snippets.map(({ code }, index) => {
    const file = `${folder}${prefix}-${index}.ts`;
    writeFileSync(file, complete(code));
    return file;
  });
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
  const program = ts.createProgram([`${root}src/sql/sql-files.d.ts`, ...files], {
    ...config?.options,
    noUnusedLocals: false,
    noUnusedParameters: false,
    verbatimModuleSyntax: false,
    noEmit: true,
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText, start }) => {
    const place = snippets[files.indexOf(file?.fileName ?? '')]?.place ?? file?.fileName ?? '';
    const line = file && start !== undefined ? file.text.slice(0, start).split('\n').length : 0;
    return `${place} (+${line}): ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
}

describe('the snippets', () => {
  it('of the README and the guides compile', () => {
    const snippets = documentSnippets();
    expect(snippets.length).toBeGreaterThan(10);
    expect(typeErrors(snippets, 'document', (code) => `${code}\nexport {};\n`)).toEqual([]);
  });

  it('of the doc comments compile', () => {
    const snippets = commentSnippets();
    expect(snippets.length).toBeGreaterThan(10);
    // The names of the package and of the context are there for every example that doesn't define them itself.
    const names = new Map([
      ...exportedNames(
        Object.fromEntries(
          frontDoors.map((door) => [`src/${door}/index.ts`, `../../../src/${door}/index.js`]),
        ),
      ),
      ...exportedNames({ 'test/docs/example-context.ts': '../example-context.js' }),
      ...['Client', 'Connection'].map((name) => [name, '@temporalio/client'] as const),
      ['Worker', '@temporalio/worker'],
      ['Pool', 'pg'],
    ]);
    const complete = (code: string): string => {
      const wanted = [...names].filter(
        ([name]) =>
          new RegExp(`\\b${name}\\b`).test(code) &&
          !new RegExp(`(const|class|function|type|interface) ${name}\\b`).test(code),
      );
      return `${wanted.map(([name, from]) => `import { ${name} } from '${from}';`).join('\n')}\n${code}\nexport {};\n`;
    };
    expect(typeErrors(snippets, 'comment', complete)).toEqual([]);
  });

  it('notice a mistake', () => {
    const broken = {
      place: 'here',
      name: '',
      code: "import { streamId } from 'temporal-event-store';\nstreamId(7, '1');",
    };
    expect(typeErrors([broken], 'broken', (code) => code)).toEqual([
      expect.stringContaining('not assignable'),
    ]);
  });
});

it('the quick start of the README runs, on the built package, and is about 30 lines of code', async () => {
  const [quickStart] = documentSnippets().filter((snippet) => snippet.name === 'quick-start');
  const code = quickStart?.code ?? '';
  expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(35);

  const file = `${folder}quick-start.ts`;
  writeFileSync(file, code);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [fileURLToPath(import.meta.resolve('tsx/cli')), '--tsconfig', `${root}tsconfig.build.json`, file],
    { env: { ...process.env, TEMPORAL_ADDRESS: inject('temporal').address } },
  );
  expect(stdout).toContain('Balance: 5');
});

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
