import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import { ProjectionUnknownError } from '../../../core/errors/projection-errors.js';
import type { ProjectionSink } from '../../../core/projections/projection-sink.js';
import { isProjection, type AnyProjection } from '../../../core/projections/projection.js';
import { describeValue } from '../../../core/values/describe-value.js';
import { describeUnknown } from '../../shared/search-trace.js';

/** A projection and its sink. */
export interface RegisteredProjection {
  readonly projection: AnyProjection;
  readonly sink: ProjectionSink<unknown>;
}

/** This worker doesn't know the projection, or not in this version; another worker may. */
export class UnknownHereError extends ProjectionUnknownError {
  readonly what: string;
  readonly advice: string;
  /** Whether the projection is known, in another version. */
  readonly isOfVersion: boolean;

  constructor(what: string, known: readonly string[], advice: string, isOfVersion = false) {
    super(describeUnknown({ what, advice }, known), { known });
    this.what = what;
    this.advice = advice;
    this.isOfVersion = isOfVersion;
  }
}

/** The projections that a worker knows, by name and version. */
export class ProjectionRegistry {
  readonly #byName = new Map<string, Map<number, RegisteredProjection>>();

  /**
   * @param sinkOf gives the sink of a projection that names none
   * @throws InvalidArgumentError when two have the same name and version, or one isn't a projection
   */
  constructor(
    projections: readonly AnyProjection[],
    sinkOf: (projection: AnyProjection) => ProjectionSink<unknown>,
  ) {
    for (const projection of projections) {
      if (!isProjection(projection)) {
        throw new InvalidArgumentError(
          `A projection is made by defineProjection, definePublisher or defineReaction; got ${describeValue(projection)}.`,
        );
      }
      const { name, version } = projection;
      const versions = this.#byName.get(name) ?? new Map<number, RegisteredProjection>();
      if (versions.has(version)) {
        throw new InvalidArgumentError(`Two projections have the name '${name}' and the version ${version}.`);
      }
      const sink = (projection.sink as ProjectionSink<unknown> | undefined) ?? sinkOf(projection);
      versions.set(version, { projection, sink });
      this.#byName.set(name, versions);
    }
  }

  /** The newest version. @throws UnknownHereError when there is none of this name */
  newest(name: string): RegisteredProjection {
    const versions = [...(this.#byName.get(name)?.values() ?? [])];
    const [first, ...others] = versions;
    if (first === undefined) {
      throw new UnknownHereError(
        `the projection '${name}'`,
        [...this.#byName.keys()],
        `Add it to the plugin's projections, or to createProjectionActivities.`,
      );
    }
    return others.reduce(
      (newest, other) => (other.projection.version > newest.projection.version ? other : newest),
      first,
    );
  }

  /** The known versions, in order. */
  versions(name: string): readonly string[] {
    return [...(this.#byName.get(name)?.keys() ?? [])].sort((a, b) => a - b).map(String);
  }

  /** @throws UnknownHereError when this worker doesn't know this version */
  get(name: string, version: number): RegisteredProjection {
    this.newest(name);
    const found = this.#byName.get(name)?.get(version);
    if (found !== undefined) return found;
    throw new UnknownHereError(
      `version ${version} of the projection '${name}'`,
      this.versions(name),
      `Deploy one that does, or rebuild the projection: the read model serves as it is until then.`,
      true,
    );
  }
}
