/** Longer ids than this are hashed: SQL persistence of the Temporal server takes 255 characters. */
const maxLength = 200;

/** The id that says what the workflow is for, where it fits; else a hashed one. */
export function shortWorkflowId(id: string, hashed: () => string): string {
  return id.length <= maxLength ? id : hashed();
}
