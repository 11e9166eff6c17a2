// PostgreSQL's own operators by their full names. The server looks up a plain `=` along the session's `search_path`,
// where somebody else may have put one that fits better; functions and types have `pg_catalog.` in front for the same
// reason. Operators in this form all have the same precedence, from left to right: two of them need parentheses. Syntax
// that hides an operator isn't used: BETWEEN, IN, NULLIF, IS DISTINCT FROM, LIKE, `case x when`, `join … using`. See
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
