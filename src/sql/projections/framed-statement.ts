/** The place of a value in a statement: `at(1)` is `$1`. */
export class Place {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

export function at(number: number): Place {
  return new Place(number);
}

export type SinkValue = string | number | null;

/**
 * A statement in parts: pieces of text, and the places of its values between them. It can be sent with its values
 * beside the text, or in the text to share a round trip with other statements.
 */
export class FramedStatement {
  readonly #parts: readonly (string | Place)[];

  constructor(parts: readonly (string | Place)[]) {
    this.#parts = parts;
  }

  /** The text to send with the values beside it. */
  get text(): string {
    return this.#parts.map((part) => (part instanceof Place ? `$${part.number}` : part)).join('');
  }

  /**
   * The text with the values in it.
   *
   * @param write transforms the pieces of text between the values
   */
  withValues(values: readonly SinkValue[], write: (text: string) => string): string {
    return this.#parts
      .map((part) => (part instanceof Place ? literal(values[part.number - 1]) : write(part)))
      .join('');
  }
}

/** The tag of a {@link FramedStatement}. */
export function framed(
  strings: TemplateStringsArray,
  ...between: readonly (string | Place)[]
): FramedStatement {
  return new FramedStatement(
    strings.flatMap((text, index) => {
      const next = between[index];
      return next === undefined ? [text] : [text, next];
    }),
  );
}

/** A literal for any `standard_conforming_strings`: after an E, a backslash is written twice. */
function literal(value: SinkValue | undefined): string {
  if (typeof value === 'number') return String(value);
  return value == null ? 'null' : `E'${value.replaceAll(/['\\]/g, '$&$&')}'`;
}
