/** What the attempts at an activity, which several workers may make, have found out. */
export interface SearchTrace {
  /** What the workers know that don't know enough. */
  readonly known?: readonly string[];
  /** What they don't know, and what to do about it. */
  readonly unknown?: {
    readonly what: string;
    readonly advice: string;
    /** Whether it knows the projection, in another version. */
    readonly isOfVersion?: true;
    /** How many workers are asked without a pause. Default 12; fewer where an attempt is dear. */
    readonly triesAtOnce?: number;
  };
  /** What one that knows enough has failed of. */
  readonly heldUpBy?: string;
}

/** What two attempts have found out. A worker that knows the projection in another version says more than one that doesn't know it. */
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
