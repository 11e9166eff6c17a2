import type { ActivityLogger } from 'temporal-event-store/activities';

type Level = keyof ActivityLogger;

/** A log of one JSON object a line, as collectors of logs read it. */
export function jsonLogger(write: (line: string) => void): ActivityLogger {
  const at =
    (level: Level) =>
    (message: string, attributes: Record<string, unknown> = {}): void => {
      write(
        JSON.stringify({ time: new Date().toISOString(), level, message, ...attributes }, errorsAsObjects),
      );
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** JSON has nothing of an error but the fields that somebody gave it. */
function errorsAsObjects(_key: string, value: unknown): unknown {
  return value instanceof Error ? Object.assign({ name: value.name, message: value.message }, value) : value;
}
