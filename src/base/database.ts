/**
 * A file of SQLite in the home: its owner's alone, with a write-ahead log, and of a version.
 *
 * Invariant: a file that a newer Enclume has written is refused before anything is read of it; a step is taken whole or not at all, and once.
 */
import { DatabaseSync } from 'node:sqlite'
import { keepPrivate } from '#base/private'

/** `steps`: each takes the file one version on, from none. `sync`: 'full' where a commit must be on the disk when it is answered. */
export type Form = { steps: readonly string[]; sync: 'full' | 'normal' }

export function openDatabase(file: string, { steps, sync }: Form): DatabaseSync {
  keepPrivate(file)
  const db = new DatabaseSync(file)
  db.exec(`pragma journal_mode = wal; pragma synchronous = ${sync}; pragma busy_timeout = 5000`)
  const { user_version: version } = db.prepare('pragma user_version').get() as { user_version: number }
  if (version > steps.length) {
    db.close()
    throw new Error(`${file} was written by a newer Enclume (version ${version}; this one knows ${steps.length}). Use that one.`)
  }
  for (let v = version; v < steps.length; v++) db.exec(`begin immediate; ${steps[v]} pragma user_version = ${v + 1}; commit`)
  return db
}
