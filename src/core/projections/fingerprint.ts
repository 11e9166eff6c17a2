import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { BuildSpec, ProjectionBuild } from './projection-sink.js';

/**
 * Checks that the live build has the tables of the definition, if both have a fingerprint.
 *
 * @returns the builds
 * @throws InvalidArgumentError when it was made by a definition with the same version and another fingerprint
 */
export function assertSameTables(
  { name, version, fingerprint }: BuildSpec,
  builds: readonly ProjectionBuild[],
): readonly ProjectionBuild[] {
  const live = builds.find(({ role }) => role === 'live');
  const isOther =
    live?.version === version &&
    live.fingerprint !== undefined &&
    live.fingerprint !== (fingerprint ?? live.fingerprint);
  if (!isOther) return builds;
  throw new InvalidArgumentError(
    `The live read model of '${name}' was made by version ${version} with the fingerprint '${live.fingerprint}', and this is version ${version} with '${fingerprint}': raise the version of the projection, and rebuild it.`,
  );
}
