// PostgreSQL's own operators by their full names. A plain `=` is looked for along the `search_path` of the session, where
// somebody else may have put one that fits better; so are functions and types, which have `pg_catalog.` in front. Spelled so,
// operators bind all alike, from left to right: two of them need parentheses. And what stands for an operator without
// showing it is left out: BETWEEN, IN, NULLIF, IS DISTINCT FROM, LIKE, `case x when`, `join … using`. See
// docs/decisions/0016.

export const eq = 'operator(pg_catalog.=)';
export const ne = 'operator(pg_catalog.<>)';
export const lt = 'operator(pg_catalog.<)';
export const le = 'operator(pg_catalog.<=)';
export const gt = 'operator(pg_catalog.>)';
export const ge = 'operator(pg_catalog.>=)';
export const plus = 'operator(pg_catalog.+)';
export const minus = 'operator(pg_catalog.-)';
export const times = 'operator(pg_catalog.*)';
export const concat = 'operator(pg_catalog.||)';
export const contains = 'operator(pg_catalog.@>)';
export const bitAnd = 'operator(pg_catalog.&)';
