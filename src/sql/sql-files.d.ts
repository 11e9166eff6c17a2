/** SQL files are embedded as text when the package is built. */
declare module '*.sql' {
  const text: string;
  // eslint-disable-next-line no-restricted-syntax -- how bundlers give the text of a file
  export default text;
}
