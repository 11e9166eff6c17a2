/** The folder with package.json: the programs run from `dist`, and what isn't code stays where it is. */
export const packageFolder = new URL('../', import.meta.url);
