import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { describeValue } from '../../core/values/describe-value.js';
import { utf8Length } from '../../core/values/json.js';
import { findNameProblem } from '../../core/values/name.js';
import { assertSchemaName, inSchema, quoted } from '../schema-name.js';

/**
 * The grants that an application's role needs once the schema is there: enough to append and read, and not to change or
 * remove an event, nor the schema. Run them as the role that migrated.
 *
 * @throws InvalidArgumentError for a malformed name of schema or role
 */
export function grantScript(schema: string, role: string): string {
  assertSchemaName(schema);
  // PostgreSQL would cut a longer one, and so grant to somebody else.
  if (findNameProblem(role) !== undefined || utf8Length(role) > 63) {
    throw new InvalidArgumentError(
      `The name of a role is 1 to 63 bytes of text; got ${describeValue(role)}.`,
    );
  }
  return (
    [
      'grant usage on schema __schema__ to',
      'grant select on __schema__.store, __schema__.migrations to',
      'grant select, insert on __schema__.events to',
      'grant select, insert, update, delete on __schema__.streams, __schema__.snapshots, __schema__.checkpoints to',
      'grant usage on sequence __schema__.positions to',
      'grant execute on all functions in schema __schema__ to',
    ]
      // Once it stands with the schema's name, so that nothing in the role's is taken for a place for it.
      .map((grant) => `${inSchema(grant, schema)} ${quoted(role)};\n`)
      .join('')
  );
}
