import { afterAll } from 'vitest';
import { dropLeftovers } from './postgres.js';

// A process runs many test files, and loads what they import once: what each has to do stands in a setup file.
afterAll(dropLeftovers);
