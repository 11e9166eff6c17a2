/** Knows which organisations there are. */
export interface OrganizationDirectory {
  exists(organizationId: string): Promise<boolean>;
}

/** A directory that is a list. */
export function knownOrganizations(ids: Iterable<string>): OrganizationDirectory {
  const known = new Set(ids);
  return { exists: async (organizationId) => known.has(organizationId) };
}
