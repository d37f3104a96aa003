/**
 * S3's own tables: buckets, versions of objects, uploads under way and their parts, and which files are somebody's.
 *
 * Invariants: every change is all or nothing, seen by nobody before it is on the disk, where those that come together go
 * together; of a key's versions exactly one is the latest; a file is in `file` as often as versions and parts refer to it,
 * and in no other case on the disk (what a crash leaves there is removed when the tables are next opened). The bytes of
 * small pieces stand in `file` themselves and have no file at all.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { openDatabase } from '#base/database'
import { diskFull } from '#service/s3/errors'

const SCHEMA = `
  create table bucket (name text primary key, account text, region text, created text, settings text) strict, without rowid;
  create table object (seq integer primary key autoincrement, bucket text, key text, version text, latest integer, marker integer,
    size integer, etag text, modified text, info text, parts text) strict;
  create unique index object_version on object (bucket, key, version);
  create index object_order on object (bucket, key, seq desc);
  create unique index object_latest on object (bucket, key) where latest = 1;
  create table upload (id text primary key, bucket text, key text, created text, info text) strict, without rowid;
  create index upload_by_key on upload (bucket, key, id);
  create table part (upload text, number integer, size integer, etag text, modified text, file text, checksum text,
    primary key (upload, number)) strict, without rowid;
  create table file (id text primary key, uses integer) strict, without rowid;`
/** What came later, by the version before it. A table whose rows hold bytes keeps them apart from its index. */
const UPGRADES = ['create table small (id text primary key, bytes blob) strict;']

/** What SQLite says of a disk without room. */
const SQLITE_FULL = 13

/** A piece of an object's bytes: a file, its size, and the checksum that its part was uploaded with. */
export type Piece = { file: string; size: number; checksum?: string }
/** A piece that is about to be somebody's, with its bytes where they get no file. */
export type NewPiece = Piece & { bytes?: Uint8Array | undefined }
/** What is kept of an object besides its bytes. */
export type Info = {
  owner: string
  headers: Partial<Record<'ContentType' | 'ContentEncoding' | 'ContentDisposition' | 'ContentLanguage' | 'CacheControl' | 'Expires', string>>
  meta: Record<string, string>
  tags: Record<string, string>
  redirect?: string
  checksum?: { algorithm: string; value?: string; type: 'FULL_OBJECT' | 'COMPOSITE' }
  /** Made by a multipart upload: its pieces are parts. */
  multipart?: boolean
}
export type Version = {
  seq: number; bucket: string; key: string; version: string; latest: boolean; marker: boolean
  size: number; etag: string; modified: string; info: Info; parts: Piece[]
}
export type Bucket<Settings = any> = { name: string; account: string; region: string; created: string; settings: Settings }
export type Upload = { id: string; bucket: string; key: string; created: string; info: Info }
export type Part = { upload: string; number: number; size: number; etag: string; modified: string; file: string; checksum: string | null }

export type Tables = ReturnType<typeof openTables>
type Raw = Record<string, any>

const versionOf = (row: Raw): Version =>
  ({ ...row, latest: row.latest === 1, marker: row.marker === 1, info: JSON.parse(row.info), parts: JSON.parse(row.parts) }) as Version
const settingsOf = (row: Raw): Bucket => ({ ...row, settings: JSON.parse(row.settings) }) as Bucket
const uploadOf = (row: Raw): Upload => ({ ...row, info: JSON.parse(row.info) }) as Upload

/** `mostPages` bounds the file, so that tests can fill it; `committed` is called after each change. */
export function openTables(file: string, { mostPages, committed = () => {} }: { mostPages?: number; committed?: () => void } = {}) {
  const db = openDatabase(file, { steps: [SCHEMA, ...UPGRADES], sync: 'full' })
  if (mostPages !== undefined) db.exec(`pragma max_page_count = ${mostPages}`)
  const prepared = new Map<string, StatementSync>()
  const sql = (text: string): StatementSync => {
    let statement = prepared.get(text)
    if (!statement) prepared.set(text, (statement = db.prepare(text)))
    return statement
  }
  const all = <T>(text: string, values: SQLInputValue[], map: (row: Raw) => T): T[] => sql(text).all(...values).map(row => map(row as Raw))
  const one = <T>(text: string, values: SQLInputValue[], map: (row: Raw) => T): T | undefined => {
    const row = sql(text).get(...values)
    return row === undefined ? undefined : map(row as Raw)
  }
  // Every request reads its bucket several times. What is kept goes with any change of a bucket, done or undone.
  const known = new Map<string, Bucket>()
  const forget = () => known.clear()
  const changes = changing(sql, forget)
  const { transact, commit } = committing(db, { undone: forget, committed })
  return {
    ...changes,
    /** All or nothing, and durable when it resolves. Nothing is awaited inside. */
    transact,
    bucket(name: string): Bucket | undefined {
      const found = known.get(name) ?? one('select * from bucket where name = ?', [name], settingsOf)
      if (found) known.set(name, found)
      return found
    },
    buckets: () => all('select * from bucket order by name', [], settingsOf),
    /** Whether a bucket has versions, markers or uploads. */
    holds: (bucket: string) => sql('select 1 from object where bucket = ? limit 1').get(bucket) !== undefined,
    latest: (bucket: string, key: string) =>
      one('select * from object where bucket = ? and key = ? and latest = 1', [bucket, key], versionOf),
    version: (bucket: string, key: string, id: string) =>
      one('select * from object where bucket = ? and key = ? and version = ?', [bucket, key, id], versionOf),
    /** Latest versions that are no markers, in the order of their keys' bytes. */
    keysFrom: (bucket: string, from: string, limit: number) =>
      all('select * from object where bucket = ? and key >= ? and latest = 1 and marker = 0 order by key limit ?', [bucket, from, limit], versionOf),
    versionsFrom: (bucket: string, from: string, limit: number) =>
      all('select * from object where bucket = ? and key >= ? order by key, seq desc limit ?', [bucket, from, limit], versionOf),
    /** The versions of a key older than one, the newest first. */
    versionsOf: (bucket: string, key: string, before: number, limit: number) =>
      all('select * from object where bucket = ? and key = ? and seq < ? order by seq desc limit ?', [bucket, key, before, limit], versionOf),
    upload: (id: string) => one('select * from upload where id = ?', [id], uploadOf),
    uploads: (bucket: string) => all('select * from upload where bucket = ? order by key, id', [bucket], uploadOf),
    part: (upload: string, number: number) =>
      one('select * from part where upload = ? and number = ?', [upload, number], row => row as Part),
    parts: (upload: string) => all('select * from part where upload = ? order by number', [upload], row => row as Part),
    isFile: (id: string) => sql('select 1 from file where id = ?').get(id) !== undefined,
    /** The bytes of a piece that has no file. */
    bytesOf: (id: string) => sql('select bytes from small where id = ?').get(id)?.bytes as Uint8Array | undefined,
    close: () => {
      commit()
      db.close()
    },
  }
}

type Waiting = { body: () => unknown; resolve: (value: any) => void; reject: (error: unknown) => void }

/**
 * Transactions that were asked for in one turn of the event loop are committed by one sync of the disk, each undone by
 * itself where it throws: a sync takes longer than all else that a small object costs.
 */
function committing(db: DatabaseSync, { undone, committed }: { undone: () => void; committed: () => void }) {
  let waiting: Waiting[] = []
  const commit = (): void => {
    const group = waiting
    if (group.length === 0) return
    waiting = []
    const done: (() => void)[] = []
    try {
      db.exec('begin immediate')
      for (const { body, resolve, reject } of group) done.push(attempt(db, body, { resolve, reject, undone }))
      db.exec('commit')
    } catch (cause) {
      if (db.isOpen && db.isTransaction) db.exec('rollback')
      undone()
      const error = (cause as { errcode?: number }).errcode === SQLITE_FULL ? diskFull() : cause
      for (const { reject } of group) reject(error)
      return
    }
    for (const answer of done) answer()
    committed()
  }
  const transact = <T>(body: () => T): Promise<T> => new Promise((resolve, reject) => {
    if (waiting.push({ body, resolve, reject }) === 1) setImmediate(commit)
  })
  return { transact, commit }
}

/** One of a group. Answers how its caller is told once all are on the disk. */
type Ends = Omit<Waiting, 'body'> & { undone: () => void }
function attempt(db: DatabaseSync, body: () => unknown, { resolve, reject, undone }: Ends): () => void {
  db.exec('savepoint one')
  try {
    const result = body()
    db.exec('release one')
    return () => resolve(result)
  } catch (error) {
    // A full disk takes the whole transaction with it.
    if (!db.isTransaction) throw error
    db.exec('rollback to one; release one')
    undone()
    return () => reject(error)
  }
}

/** Writing, inside `transact`. Each answers the files that are nobody's any more, to be removed after the commit. */
function changing(sql: (text: string) => StatementSync, bucketChanged: () => void) {
  const use = ({ file, bytes }: Pick<NewPiece, 'file' | 'bytes'>) => {
    sql('insert into file values (?, 1) on conflict (id) do update set uses = uses + 1').run(file)
    if (bytes) sql('insert into small values (?, ?)').run(file, bytes)
  }
  const drop = (files: string[]): string[] => files.filter(file => {
    sql('update file set uses = uses - 1 where id = ?').run(file)
    if (sql('delete from file where id = ? and uses = 0').run(file).changes === 0) return false
    return sql('delete from small where id = ?').run(file).changes === 0
  })
  const removeVersion = (version: Version): string[] => {
    sql('delete from object where seq = ?').run(version.seq)
    if (version.latest) {
      sql(`update object set latest = 1 where seq = (select seq from object where bucket = ? and key = ? order by seq desc limit 1)`)
        .run(version.bucket, version.key)
    }
    return drop(version.parts.map(piece => piece.file))
  }
  const removeParts = (upload: string): string[] => {
    const files = sql('select file from part where upload = ? and file <> \'\'').all(upload).map(row => String(row.file))
    sql('delete from part where upload = ?').run(upload)
    return drop(files)
  }
  return {
    putBucket: ({ name, account, region, created, settings }: Bucket) => {
      sql('insert into bucket values (?,?,?,?,?) on conflict (name) do update set settings = excluded.settings')
        .run(name, account, region, created, JSON.stringify(settings))
      bucketChanged()
    },
    removeBucket(name: string) {
      sql('delete from bucket where name = ?').run(name)
      bucketChanged()
    },
    /** A new latest version; one with the same version id (null) goes. */
    putVersion({ parts, ...v }: Omit<Version, 'seq' | 'latest' | 'parts'> & { parts: NewPiece[] }, before: Version | undefined): string[] {
      for (const piece of parts) use(piece)
      const freed = before ? removeVersion(before) : []
      sql('update object set latest = 0 where bucket = ? and key = ? and latest = 1').run(v.bucket, v.key)
      sql('insert into object (bucket, key, version, latest, marker, size, etag, modified, info, parts) values (?,?,?,1,?,?,?,?,?,?)')
        .run(v.bucket, v.key, v.version, v.marker ? 1 : 0, v.size, v.etag, v.modified, JSON.stringify(v.info),
          JSON.stringify(parts.map(({ file, size, checksum }) => ({ file, size, checksum }))))
      return freed
    },
    setInfo: (seq: number, info: Info) => { sql('update object set info = ? where seq = ?').run(JSON.stringify(info), seq) },
    removeVersion,
    putUpload: ({ id, bucket, key, created, info }: Upload) => {
      sql('insert into upload values (?,?,?,?,?)').run(id, bucket, key, created, JSON.stringify(info))
    },
    putPart(part: Part & Pick<NewPiece, 'bytes'>): string[] {
      if (part.file !== '') use(part)
      const before = sql('select file from part where upload = ? and number = ?').get(part.upload, part.number) as { file: string } | undefined
      sql('insert or replace into part values (?,?,?,?,?,?,?)')
        .run(part.upload, part.number, part.size, part.etag, part.modified, part.file, part.checksum)
      return before && before.file !== '' ? drop([before.file]) : []
    },
    removeUpload(id: string): string[] {
      sql('delete from upload where id = ?').run(id)
      return removeParts(id)
    },
  }
}
