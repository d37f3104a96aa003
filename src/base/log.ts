/**
 * Structured logs: one JSON object a line, to a sink that the process chooses.
 *
 * Invariant: nothing secret is passed in here. Callers log ids, codes and durations, never input bodies.
 */
export type Fields = Record<string, unknown>
export type Log = {
  debug(event: string, fields?: Fields): void
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  error(event: string, fields?: Fields): void
  /** The same log with fields that every line repeats. */
  with(fields: Fields): Log
}

const levels = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof levels)[number]

export function openLog(write: (line: string) => void, least: Level = 'info', common: Fields = {}): Log {
  const at = (level: Level) => (event: string, fields: Fields = {}) => {
    if (levels.indexOf(level) < levels.indexOf(least)) return
    write(JSON.stringify({ time: new Date().toISOString(), level, event, ...common, ...plain(fields) }) + '\n')
  }
  return {
    debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'),
    with: fields => openLog(write, least, { ...common, ...fields }),
  }
}

/** Errors lose their message in JSON; a log line must keep it, with the causes behind it. */
function plain(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, v instanceof Error ? describe(v) : v]))
}

function describe(error: Error): string {
  const cause = error.cause instanceof Error ? ` <- ${describe(error.cause)}` : ''
  return (error.stack ?? `${error.name}: ${error.message}`) + cause
}

export const silent: Log = openLog(() => {})
