import { InvalidArgumentError } from '../../../core/errors/invalid-argument-error.js';
import type { BuildSpec, ProjectionBuild } from '../../../core/projections/projection-sink.js';
import type { AnyProjection } from '../../../core/projections/projection.js';
import { hookOf } from './hooks.js';
import type { ProjectionRegistry, RegisteredProjection } from './projection-registry.js';

/** The builds of the projections that a worker knows. */
export class KnownBuilds {
  readonly #registry: ProjectionRegistry;

  constructor(registry: ProjectionRegistry) {
    this.#registry = registry;
  }

  /** All builds of a projection; makes an empty live one if there is none. */
  open({ projection, sink }: RegisteredProjection): Promise<readonly ProjectionBuild[]> {
    return sink.open(specOf(projection), hookOf(projection, 'init'));
  }

  /** A build with its projection. @throws UnknownHereError when this worker doesn't know the projection in that version */
  async of(
    name: string,
    build: number,
  ): Promise<RegisteredProjection & Pick<ProjectionBuild, 'shards' | 'role'>> {
    const found = (await this.open(this.#registry.newest(name))).find((other) => other.build === build);
    if (found === undefined) {
      throw new InvalidArgumentError(`The projection '${name}' has no build ${build} any more.`);
    }
    const { projection, sink } = this.#registry.get(name, found.version);
    return { projection, sink, shards: found.shards, role: found.role };
  }
}

export function specOf({ name, version, shards, fingerprint }: AnyProjection): BuildSpec {
  return { name, version, shards: shards, ...(fingerprint !== undefined && { fingerprint }) };
}
