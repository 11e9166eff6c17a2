import fc from 'fast-check';

// A mutant is tried with each test that reaches it, and a property takes as long as hundreds of other tests. A limit of
// time also holds where a test says itself how many runs it wants. The seed makes a score repeatable.
fc.configureGlobal({
  seed: 1,
  interruptAfterTimeLimit: 400,
  markInterruptAsFailure: false,
  endOnFailure: true,
});
