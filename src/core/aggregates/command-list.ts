import type { StandardSchema } from '../registry/standard-schema.js';

/**
 * The commands that clients may send to an aggregate, by name. The value is the schema of the payload (Standard Schema:
 * zod, valibot, arktype and others), or `true` to take any JSON.
 */
export type CommandList = Readonly<Record<string, StandardSchema | boolean>>;
