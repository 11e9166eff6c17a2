/**
 * The part of Standard Schema (https://standardschema.dev, version 1) that is used here: what zod, valibot, arktype and
 * others have in common. Copied as its authors intend, so that there is no dependency.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] };

export interface StandardSchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The value as the schema returns it, or why it doesn't fit. */
export type SchemaOutcome<Output> =
  { readonly value: Output } | { readonly issues: readonly StandardSchemaIssue[] };

/** Validates a value. Synchronous if the schema is. */
export function applySchema<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
): SchemaOutcome<Output> | Promise<SchemaOutcome<Output>> {
  const result = schema['~standard'].validate(value);
  return 'then' in result ? result.then(toOutcome) : toOutcome(result);
}

function toOutcome<Output>(result: StandardSchemaResult<Output>): SchemaOutcome<Output> {
  return result.issues === undefined ? { value: result.value } : { issues: result.issues };
}
