/**
 * Files that SQLite makes: it makes them for everybody to read, and those beside them like the first.
 *
 * Invariant: a database is its owner's alone before anything is written into it, also one that an earlier Enclume left open to others.
 */
import { chmodSync, closeSync, existsSync, openSync } from 'node:fs'

/** Call it before the database is opened. */
export function keepPrivate(file: string): void {
  if (file === ':memory:') return
  closeSync(openSync(file, 'a', 0o600))
  for (const part of [file, `${file}-wal`, `${file}-shm`]) if (existsSync(part)) chmodSync(part, 0o600)
}
