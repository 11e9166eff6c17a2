import { InvalidArgumentError } from '../../core/errors/invalid-argument-error.js';
import { describeValue } from '../../core/values/describe-value.js';
import { utf8Length } from '../../core/values/json.js';
import { findNameProblem } from '../../core/values/name.js';
import { assertSchemaName, inSchema, quoted } from '../schema-name.js';

/**
 * The grants that an application's role needs once the schema exists: enough to append and read, but not to change or
 * remove an event or the schema. Run them as the role that migrated.
 *
 * @throws InvalidArgumentError for a malformed name of schema or role
 */
export function grantScript(schema: string, role: string): string {
  assertSchemaName(schema);
  // PostgreSQL would truncate a longer name, and so grant to another role.
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
      // The role comes after the schema's name is in, so that a `__schema__` in the role's name stays.
      .map((grant) => `${inSchema(grant, schema)} ${quoted(role)};\n`)
      .join('')
  );
}
