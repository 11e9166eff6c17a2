import { statSync } from 'node:fs';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Most mutants fail a test that is about them, in a small file; then the others needn't run. */
export class SmallestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sizes = new Map(files.map((file) => [file, sizeOf(file)]));
    return [...files].sort((one, other) => (sizes.get(one) ?? 0) - (sizes.get(other) ?? 0));
  }
}

/** A suite for all stores is a line in a file, and hundreds of tests. Models run for long, or without an end. */
function sizeOf({ moduleId }: TestSpecification): number {
  return /conformance|memory-event-store|project-shard|\.model\./.test(moduleId)
    ? 1_000_000
    : statSync(moduleId).size;
}
