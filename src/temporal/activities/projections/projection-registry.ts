import { InvalidArgumentError } from '../../../core/errors/errors.js';
import type { ProjectionSink } from '../../../core/projections/projection-sink.js';
import { isProjection, type AnyProjection } from '../../../core/projections/projection.js';
import { describeValue } from '../../../core/values/describe-value.js';

/** A projection and where it goes. */
export interface SunkProjection {
  readonly projection: AnyProjection;
  readonly sink: ProjectionSink<unknown>;
}

/** This worker doesn't know the projection, or not in this version; another one may. */
export class UnknownProjectionError extends InvalidArgumentError {}

/** The projections that a worker knows, by name and version. */
export class ProjectionRegistry {
  readonly #byName = new Map<string, Map<number, SunkProjection>>();

  /**
   * @param sinkOf the sink of a projection that names none
   * @throws InvalidArgumentError when two have the same name and version, or one is no projection
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
      const versions = this.#byName.get(name) ?? new Map<number, SunkProjection>();
      if (versions.has(version)) {
        throw new InvalidArgumentError(`Two projections have the name '${name}' and the version ${version}.`);
      }
      const sink = (projection.sink as ProjectionSink<unknown> | undefined) ?? sinkOf(projection);
      versions.set(version, { projection, sink });
      this.#byName.set(name, versions);
    }
  }

  /** The newest version. @throws UnknownProjectionError when there is none of this name */
  newest(name: string): SunkProjection {
    const versions = [...(this.#byName.get(name)?.values() ?? [])];
    const [first, ...others] = versions;
    if (first === undefined) {
      throw new UnknownProjectionError(
        `The projection '${name}' is not registered on this worker; registered: ${[...this.#byName.keys()].join(', ') || 'none'}. ` +
          `Add it to createProjectionActivities, or to the plugin's projections.`,
      );
    }
    return others.reduce(
      (newest, other) => (other.projection.version > newest.projection.version ? other : newest),
      first,
    );
  }

  /** @throws UnknownProjectionError when this version isn't there any more */
  get(name: string, version: number): SunkProjection {
    const { projection } = this.newest(name);
    const found = this.#byName.get(name)?.get(version);
    if (found !== undefined) return found;
    throw new UnknownProjectionError(
      `The read model of '${name}' is of version ${version}, and this worker knows version ${projection.version} only. ` +
        `Rebuild the projection; it then serves the old one as it is. To keep that up to date meanwhile, register both versions.`,
    );
  }
}
