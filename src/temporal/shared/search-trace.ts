/** What the attempts at an activity, perhaps by several workers, have found out. */
export interface SearchTrace {
  /** What the workers that gave up do know. */
  readonly known?: readonly string[];
  /** What those workers don't know, and what to do about it. */
  readonly unknown?: {
    readonly what: string;
    readonly advice: string;
    /** Set when the worker knows the projection, but in another version. */
    readonly isOfVersion?: true;
    /** How many workers are asked without a pause. Default 12; fewer if an attempt is expensive. */
    readonly triesAtOnce?: number;
  };
  /** Why a worker that does know enough has failed. */
  readonly heldUpBy?: string;
}

/**
 * Merges the traces of two attempts. A worker that knows the projection in another version says more than one that
 * doesn't know it.
 */
export function mergeTraces(earlier: SearchTrace, later: SearchTrace): SearchTrace {
  const isLess = later.unknown === undefined || (isOfVersion(earlier) && !isOfVersion(later));
  const [more, less] = isLess ? [earlier, later] : [later, earlier];
  const isSameKind = less.unknown === undefined || isOfVersion(less) === isOfVersion(more);
  const known = isSameKind ? [...new Set([...(earlier.known ?? []), ...(later.known ?? [])])] : more.known;
  const heldUpBy = later.heldUpBy ?? earlier.heldUpBy;
  return {
    ...(known !== undefined && { known }),
    ...(more.unknown !== undefined && { unknown: more.unknown }),
    ...(heldUpBy !== undefined && { heldUpBy }),
  };
}

function isOfVersion({ unknown }: SearchTrace): boolean {
  return unknown?.isOfVersion === true;
}

/** @param known what workers know instead */
export function describeUnknown(
  { what, advice }: Pick<NonNullable<SearchTrace['unknown']>, 'what' | 'advice'>,
  known: readonly string[],
): string {
  return `No worker knows ${what}; known: ${known.join(', ') || 'none'}. ${advice}`;
}
