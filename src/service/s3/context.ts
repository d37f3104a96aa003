/**
 * What S3's actions work with: its tables and files, opened when first needed, and the rules for finding buckets and
 * objects in them.
 *
 * Invariant: a bucket of another account is seen only by whoever its policy lets in; that was decided before an action runs.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ApiError } from '#kit/error'
import { openFiles, type Files } from '#service/s3/files'
import { noSuchBucket, noSuchKey, noSuchVersion } from '#service/s3/errors'
import type { Settings } from '#service/s3/settings'
import { openTables, type Bucket, type Tables, type Version } from '#service/s3/tables'

export type Objects = { tables: Tables; files: Files }
export type S3 = ReturnType<typeof openS3>

export function openS3(home: string) {
  // Beside the control plane's, where backups look for databases.
  const database = join(home, 's3.db')
  const watchers = new Set<() => void>()
  let opening: Promise<Objects> | undefined
  const open = async (): Promise<Objects> => {
    const dir = join(home, 's3')
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const tables = openTables(database, { committed: () => { for (const watcher of watchers) watcher() } })
    return { tables, files: await openFiles(dir, tables) }
  }
  const ready = (): Promise<Objects> => (opening ??= open())
  return {
    ready,
    /** Whether there is anything yet. */
    there: (): boolean => opening !== undefined || existsSync(database),
    /** A bucket by its name. */
    async bucket(name: string): Promise<Objects & { bucket: Bucket<Settings> }> {
      const objects = await ready()
      return { ...objects, bucket: getBucket(objects.tables, name) }
    },
    /** Calls after each change of buckets or objects. Returns what ends it. */
    watch(callback: () => void): () => void {
      watchers.add(callback)
      return () => watchers.delete(callback)
    },
    async close(): Promise<void> {
      if (opening) (await opening).tables.close()
    },
  }
}

export function getBucket(tables: Tables, name: string): Bucket<Settings> {
  const bucket = tables.bucket(name)
  if (!bucket) throw noSuchBucket(name)
  return bucket
}

/** The version that is asked for, or the latest; a delete marker is no object. */
export function getVersion(tables: Tables, bucket: string, { key, version }: { key: string; version: string | undefined }): Version {
  const found = version === undefined ? tables.latest(bucket, key) : tables.version(bucket, key, version)
  if (!found) throw version === undefined ? noSuchKey(key) : noSuchVersion(key, version)
  if (!found.marker) return found
  if (version === undefined) throw noSuchKey(key)
  throw new ApiError('MethodNotAllowed', 'The specified method is not allowed against this resource.', 405, { ResourceType: 'DeleteMarker' })
}

/** A version's id as answers show it: buckets that never had versioning have none. */
export const shownVersion = ({ settings }: Bucket<Settings>, version: string): string | undefined =>
  (settings.versioning === undefined ? undefined : version)
