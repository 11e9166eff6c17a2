import { formatPathSegment, isObject } from '../values/json.js';

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

/** The value as the schema makes it; or where it doesn't fit, such as `.lines[2]`, and why. */
export type SchemaOutcome<Output> =
  { readonly value: Output } | { readonly path: string; readonly problem: string };

/** Validates a value: at once, where the schema does. */
export function applySchema<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
): SchemaOutcome<Output> | Promise<SchemaOutcome<Output>> {
  const result = schema['~standard'].validate(value);
  return 'then' in result ? result.then(toOutcome) : toOutcome(result);
}

function toOutcome<Output>(result: StandardSchemaResult<Output>): SchemaOutcome<Output> {
  if (result.issues === undefined) return { value: result.value };
  const [issue] = result.issues;
  const path = (issue?.path ?? []).map((part) =>
    formatPathSegment(isObject(part) ? part.key : toIndex(part)),
  );
  return { path: path.join(''), problem: `does not fit its schema: ${issue?.message ?? 'no reason given'}` };
}

function toIndex(key: PropertyKey): PropertyKey {
  return typeof key === 'string' && /^\d+$/.test(key) ? Number(key) : key;
}
