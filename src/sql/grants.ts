import { InvalidArgumentError } from '../core/errors/errors.js';
import { describeValue } from '../core/values/describe-value.js';
import { assertSchemaName, inSchema } from './schema-name.js';

/**
 * The grants that an application's role needs once the schema is there: enough to append and read, and not to change or
 * remove an event, nor the schema. Run them as the role that migrated.
 *
 * @throws InvalidArgumentError for a malformed name of schema or role
 */
export function grantScript(schema: string, role: string): string {
  assertSchemaName(schema);
  if (typeof role !== 'string' || !/^[^\p{Cc}]{1,63}$/u.test(role)) {
    throw new InvalidArgumentError(`The name of a role is 1 to 63 characters; got ${describeValue(role)}.`);
  }
  const grantee = `"${role.replaceAll('"', '""')}"`;
  return inSchema(
    [
      'grant usage on schema __schema__ to',
      'grant select on __schema__.store, __schema__.migrations to',
      'grant select, insert on __schema__.events to',
      'grant select, insert, update, delete on __schema__.streams, __schema__.snapshots, __schema__.checkpoints to',
      'grant usage on sequence __schema__.positions to',
      'grant execute on all functions in schema __schema__ to',
    ]
      .map((grant) => `${grant} ${grantee};\n`)
      .join(''),
    schema,
  );
}
