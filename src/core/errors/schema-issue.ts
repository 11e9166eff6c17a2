/** One place where a value does not fit its schema. */
export interface SchemaIssue {
  /** Such as `payload.lines[2].price`. */
  readonly path: string;
  /** In the schema's words. */
  readonly message: string;
}
