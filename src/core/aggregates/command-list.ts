import type { StandardSchema } from '../registry/standard-schema.js';

/**
 * The commands that may be sent to an aggregate from outside, by name: with the schema of their payload (Standard Schema:
 * zod, valibot, arktype and others), or `true` where any JSON will do.
 */
export type CommandList = Readonly<Record<string, StandardSchema | boolean>>;
