import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

/** A piece of code in the documentation. */
export interface Snippet {
  /** File and line where it begins. */
  readonly place: string;
  /** What stands behind ```ts. */
  readonly name: string;
  readonly code: string;
}

/** The ```ts blocks of the README and the guides. */
export function documentSnippets(): Snippet[] {
  return ['README.md', ...filesBelow('docs').filter((file) => file.endsWith('.md'))].flatMap((file) => {
    const text = readFileSync(new URL(file, root), 'utf8');
    return [...text.matchAll(/^```ts *(\S*)\n(.*?)^```$/gms)].map(
      ({ index, 1: name = '', 2: code = '' }) => ({
        place: `${file}:${lineAt(text, index)}`,
        name,
        code,
      }),
    );
  });
}

/** The `@example` blocks of the sources. */
export function commentSnippets(): Snippet[] {
  return filesBelow('src')
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const text = readFileSync(new URL(file, root), 'utf8');
      return [...text.matchAll(/^ *\* @example\n(.*?)^ *\*\/$/gms)].map(({ index, 1: block = '' }) => ({
        place: `${file}:${lineAt(text, index)}`,
        name: '',
        code: block.replaceAll(/^ *\* ?/gm, '').split(/^@/m, 1)[0] ?? '',
      }));
    });
}

function filesBelow(folder: string): string[] {
  return readdirSync(fileURLToPath(new URL(folder, root)), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file}`)
    .filter((file) => !file.startsWith('docs/api/'));
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
