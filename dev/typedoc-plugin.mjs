// @ts-check
// What TypeDoc has no options for: modules are named as one imports them, pages by their headings, the symbols that a page
// mentions are links, and a link of the site that leads nowhere is an error.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { Converter, ReflectionKind, RendererEvent } from 'typedoc';

const packageName = 'temporal-event-store';
/** @type {Readonly<Record<string, string>>} */
const groups = { guide: 'Guides', decisions: 'Decisions' };
const linkedKinds =
  ReflectionKind.Class | ReflectionKind.Interface | ReflectionKind.Function | ReflectionKind.TypeAlias;

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      const subpath = module.name.split('/').at(-1);
      module.name = subpath === 'core' ? packageName : `${packageName}/${subpath}`;
    }
    for (const page of project.documents ?? []) {
      const path = project.files.getReflectionPath(page) ?? '';
      page.frontmatter['group'] = groups[basename(dirname(path))] ?? 'About';
      page.name = headingOf(page.content);
      page.content = linkSymbols(page.content, symbolsOf(project));
    }
    const [title] = project.readme ?? [];
    // TypeDoc shows the name of the package above it.
    if (title !== undefined) title.text = title.text.replace(/^\s*# .*\n/, '');
    project.readme = linkSymbols(project.readme ?? [], symbolsOf(project));
  });
  app.renderer.on(RendererEvent.END, ({ outputDirectory }) => {
    for (const fault of brokenLinks(outputDirectory)) app.logger.error(/** @type {never} */ (fault));
  });
}

/** @param {readonly import('typedoc').CommentDisplayPart[]} parts */
function headingOf(parts) {
  const title = /^\s*# (.*)\n/.exec(parts[0]?.text ?? '')?.[1];
  if (title === undefined) throw new Error(`A page begins with no heading: ${parts[0]?.text.slice(0, 50)}`);
  return title;
}

/**
 * The classes, interfaces, functions and types by name.
 *
 * @param {import('typedoc').ProjectReflection} project
 */
function symbolsOf(project) {
  return new Map(project.getReflectionsByKind(linkedKinds).map((symbol) => [symbol.name, symbol]));
}

/**
 * Makes links of the code in a text that is the name of a symbol.
 *
 * @param {readonly import('typedoc').CommentDisplayPart[]} parts
 * @param {ReadonlyMap<string, import('typedoc').Reflection>} symbols
 * @returns {import('typedoc').CommentDisplayPart[]}
 */
function linkSymbols(parts, symbols) {
  return parts.map((part, index) => {
    const [, name = ''] = part.kind === 'code' ? (/^`(\w+)(?:\(\))?`$/.exec(part.text) ?? []) : [];
    const target = symbols.get(name);
    const before = parts[index - 1]?.text ?? '';
    // A link holds no other, and a heading is its own.
    if (target === undefined || before.endsWith('[') || /(^|\n)#+ [^\n]*$/.test(before)) return part;
    return { kind: 'inline-tag', tag: '@linkcode', text: part.text.slice(1, -1), target };
  });
}

/**
 * The links of the pages in a folder that lead to no file, or to no place in it.
 *
 * @param {string} folder
 */
function brokenLinks(folder) {
  const pages = new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.html'))
      .map((file) => [resolve(folder, file), readFileSync(join(folder, file), 'utf8')]),
  );
  return [...pages].flatMap(([page, html]) =>
    [...html.matchAll(/ href="([^"]*)"/g)].flatMap(([, href = '']) => {
      if (/^[a-z]+:/.test(href)) return [];
      const [path = '', place = ''] = href.split('#');
      const file = path === '' ? page : resolve(page, '..', decodeURIComponent(path));
      const target = pages.get(file);
      const isThere =
        target === undefined
          ? existsSync(file)
          : place === '' || target.includes(` id="${decodeURIComponent(place)}"`);
      return isThere ? [] : [`${page.slice(folder.length + 1)} has a link that leads nowhere: ${href}`];
    }),
  );
}
