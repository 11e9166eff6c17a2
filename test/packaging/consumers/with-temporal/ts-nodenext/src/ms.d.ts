// @temporalio/common asks for these types and its `ms` has none to give, so that checking Temporal's declarations
// (skipLibCheck: false), to have ours checked, would fail. For the same reason no exactOptionalPropertyTypes here.
declare module 'ms' {
  export type StringValue = string;
}
