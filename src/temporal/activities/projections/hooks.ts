import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import { HandlerError, type BuildHook } from '../../../core/projections/projection-sink.js';
import type { AnyProjection } from '../../../core/projections/projection.js';
import { logged } from '../logged.js';

/** A hook of the user, whose errors can be told from the sink's. */
export function hookOf(projection: AnyProjection, name: 'init' | 'reset' | 'verify'): BuildHook<unknown> {
  const hook = projection[name];
  return (
    hook &&
    (async (context) => {
      try {
        await hook(context);
      } catch (error) {
        throw new HandlerError(error, `'${name}' of the projection '${projection.name}'`);
      }
    })
  );
}

/** As {@link logged}. An error of a hook is a defect, which another attempt doesn't correct. */
export const loggedHooks: typeof logged = (logger, operation, attributes, run, ...rest) =>
  logged(
    logger,
    operation,
    attributes,
    async () => {
      try {
        return await run();
      } catch (error) {
        if (error instanceof HandlerError) {
          throw new InvalidArgumentError(`${error.message}.`, { cause: error });
        }
        throw error;
      }
    },
    ...rest,
  );
