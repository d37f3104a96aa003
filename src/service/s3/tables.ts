/**
 * S3's own tables: buckets, versions of objects, uploads under way and their parts, and which files are somebody's.
 *
 * Invariants: every change is one synchronous transaction, on the disk when it returns; of a key's versions exactly one
 * is the latest; a file is in `file` as often as versions and parts refer to it, and in no other case on the disk
 * (what a crash leaves there is removed when the tables are next opened).
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { keepPrivate } from '#base/private'

const VERSION = 1
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

/** A piece of an object's bytes: a file, its size, and the checksum that its part was uploaded with. */
export type Piece = { file: string; size: number; checksum?: string }
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

/** `committed` is called after each change. */
export function openTables(file: string, committed = (): void => {}) {
  keepPrivate(file)
  const db = new DatabaseSync(file)
  db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000')
  const { user_version: version } = db.prepare('pragma user_version').get() as { user_version: number }
  if (version > VERSION) throw new Error(`${file} was written by a newer Enclume. Use that one.`)
  if (version === 0) db.exec(`begin immediate; ${SCHEMA} pragma user_version = ${VERSION}; commit`)
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
  const changes = changing(sql)
  return {
    ...changes,
    /** All or nothing, and durable when it returns. Nothing is awaited inside. */
    transact<T>(body: () => T): T {
      db.exec('begin immediate')
      let result: T
      try {
        result = body()
        db.exec('commit')
      } catch (error) {
        db.exec('rollback')
        throw error
      }
      committed()
      return result
    },
    bucket: (name: string) => one('select * from bucket where name = ?', [name], settingsOf),
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
    close: () => db.close(),
  }
}

/** Writing, inside `transact`. Each answers the files that are nobody's any more, to be removed after the commit. */
function changing(sql: (text: string) => StatementSync) {
  const use = (file: string) => { sql('insert into file values (?, 1) on conflict (id) do update set uses = uses + 1').run(file) }
  const drop = (files: string[]): string[] => files.filter(file => {
    sql('update file set uses = uses - 1 where id = ?').run(file)
    return sql('delete from file where id = ? and uses = 0').run(file).changes === 1
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
    },
    removeBucket: (name: string) => { sql('delete from bucket where name = ?').run(name) },
    /** A new latest version; one with the same version id (null) goes. */
    putVersion(v: Omit<Version, 'seq' | 'latest'>, before: Version | undefined): string[] {
      for (const { file } of v.parts) use(file)
      const freed = before ? removeVersion(before) : []
      sql('update object set latest = 0 where bucket = ? and key = ? and latest = 1').run(v.bucket, v.key)
      sql('insert into object (bucket, key, version, latest, marker, size, etag, modified, info, parts) values (?,?,?,1,?,?,?,?,?,?)')
        .run(v.bucket, v.key, v.version, v.marker ? 1 : 0, v.size, v.etag, v.modified, JSON.stringify(v.info), JSON.stringify(v.parts))
      return freed
    },
    setInfo: (seq: number, info: Info) => { sql('update object set info = ? where seq = ?').run(JSON.stringify(info), seq) },
    removeVersion,
    putUpload: ({ id, bucket, key, created, info }: Upload) => {
      sql('insert into upload values (?,?,?,?,?)').run(id, bucket, key, created, JSON.stringify(info))
    },
    putPart(part: Part): string[] {
      if (part.file !== '') use(part.file)
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
