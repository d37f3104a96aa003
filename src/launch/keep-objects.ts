/**
 * Objects as a backup keeps them: the table of one moment, and every file that it names.
 *
 * Invariant: no file that the kept table names is missing, whatever is written and deleted meanwhile. A file is there before its row and goes
 * after it; so those that are there before the table is copied, held by a second name, and those that came until just after are all that it
 * can name, but for one that came and went in between: then it is done again. Small pieces are in the table itself.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { Failure } from '#launch/failure'

/** The second names, on the file system of the first; what a killed backup left of them goes with the next one. */
export const HELD = 's3.held'
export const OBJECTS = { table: 's3.db', files: join('s3', 'data') }
const TRIES = 20

export async function copyTable(from: string, to: string): Promise<void> {
  const db = new DatabaseSync(from, { readOnly: true })
  try {
    await backup(db, to)
  } finally {
    db.close()
  }
}

/** Gives every file a second name that it does not have yet. */
function hold(data: string, held: string, have: Set<string>): void {
  for (const folder of existsSync(data) ? readdirSync(data) : []) {
    for (const id of readdirSync(join(data, folder)).filter(name => !have.has(name))) {
      try {
        linkSync(join(data, folder, id), join(held, id))
        have.add(id)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error // It went meanwhile.
      }
    }
  }
}

function namedBy(table: string): string[] {
  const db = new DatabaseSync(table, { readOnly: true })
  try {
    const { user_version: version } = db.prepare('pragma user_version').get() as { user_version: number }
    const small = version > 1 ? 'where id not in (select id from small)' : '' // The first tables had none.
    return db.prepare(`select id from file ${small}`).all().map(row => String(row.id))
  } finally {
    db.close()
  }
}

/** Copies a home's objects to a folder, while they change. */
export async function keepObjects(home: string, to: string): Promise<void> {
  if (!existsSync(join(home, OBJECTS.table))) return
  const data = join(home, OBJECTS.files)
  const held = join(home, HELD)
  const kept = join(to, OBJECTS.table)
  rmSync(held, { recursive: true, force: true })
  mkdirSync(held, { mode: 0o700 })
  try {
    const have = new Set<string>()
    let named: string[] | undefined
    for (let i = 0; i < TRIES && !named?.every(id => have.has(id)); i++) {
      hold(data, held, have)
      rmSync(kept, { force: true })
      await copyTable(join(home, OBJECTS.table), kept)
      hold(data, held, have)
      named = namedBy(kept)
    }
    if (!named?.every(id => have.has(id))) throw new Failure('Objects come and go too fast for a backup of one moment. Try again when S3 is quieter.')
    for (const id of named) {
      const folder = join(to, OBJECTS.files, id.slice(0, 2))
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      await copyFile(join(held, id), join(folder, id))
    }
  } finally {
    rmSync(held, { recursive: true, force: true })
  }
}
