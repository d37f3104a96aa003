/** DeleteObject and DeleteObjects: a version goes for good, or a delete marker hides what was there. */
import type * as Sdk from '@aws-sdk/client-s3'
import { ApiError } from '#kit/error'
import { getBucket, shownVersion, type Objects, type S3 } from '#service/s3/context'
import { malformedXml, preconditionFailed, refuse } from '#service/s3/errors'
import type { Handlers } from '#service/s3/handlers'
import { arnOf, checkKey, checkVersionId, newVersionId } from '#service/s3/object'

const MOST = 1000
type Asked = { key: string; version: string | undefined; etag?: string; now: Date }
type Deleted = { marker: boolean; version: string | undefined; freed: string[] }

/** Inside a transaction. What is not there is deleted already. */
function remove({ tables }: Objects, name: string, { key, version, etag, now }: Asked): Deleted {
  checkKey(key)
  const bucket = getBucket(tables, name)
  if (etag !== undefined) {
    const found = version === undefined ? tables.latest(name, key) : tables.version(name, key, version)
    if (!found || found.marker || (etag !== '*' && etag.replaceAll('"', '') !== found.etag)) throw preconditionFailed('If-Match')
  }
  if (version !== undefined) {
    const found = tables.version(name, key, version)
    return { marker: found?.marker ?? false, version: shownVersion(bucket, version), freed: found ? tables.removeVersion(found) : [] }
  }
  const plain = tables.version(name, key, 'null')
  if (bucket.settings.versioning === undefined) return { marker: false, version: undefined, freed: plain ? tables.removeVersion(plain) : [] }
  const id = newVersionId(bucket)
  const info = { owner: bucket.account, headers: {}, meta: {}, tags: {} }
  const freed = tables.putVersion(
    { bucket: name, key, version: id, marker: true, size: 0, etag: '', modified: now.toISOString(), info, parts: [] },
    id === 'null' ? plain : undefined,
  )
  return { marker: true, version: id, freed }
}

export const deletes = (s3: S3) => ({
  async DeleteObject({ input, now }) {
    refuse('DeleteObject', input, ['MFA', 'IfMatchLastModifiedTime', 'IfMatchSize'])
    const { bucket, ...objects } = await s3.bucket(input.Bucket!)
    const asked = { key: input.Key!, version: checkVersionId(input.VersionId), etag: input.IfMatch, now }
    const { marker, version, freed } = await objects.tables.transact(() => remove(objects, bucket.name, asked))
    await objects.files.removeAll(freed)
    return { DeleteMarker: marker || undefined, VersionId: version }
  },

  async DeleteObjects({ input, now, permit }) {
    refuse('DeleteObjects', input, ['MFA'])
    const { bucket, ...objects } = await s3.bucket(input.Bucket!)
    const { Objects: asked = [], Quiet } = input.Delete!
    if (asked.length === 0 || asked.length > MOST || asked.some(({ Key }) => !Key)) throw malformedXml()
    for (const one of asked) refuse('DeleteObjects', one, ['LastModifiedTime', 'Size'])
    const errors: Sdk._Error[] = []
    const deleted: Sdk.DeletedObject[] = []
    const allowed: Sdk.ObjectIdentifier[] = []
    const failed = ({ Key, VersionId }: Sdk.ObjectIdentifier, error: unknown): void => {
      if (!(error instanceof ApiError)) throw error
      errors.push({ Key, VersionId, Code: error.code, Message: error.message })
    }
    for (const one of asked) {
      const [action, keys] = one.VersionId ? ['s3:DeleteObjectVersion', { 's3:VersionId': [one.VersionId] }] : ['s3:DeleteObject', {}]
      await permit({ action, resource: arnOf(bucket.name, one.Key!), keys }).then(() => { allowed.push(one) }, error => failed(one, error))
    }
    const freed = await objects.tables.transact(() => allowed.flatMap(({ Key, VersionId, ETag }) => {
      try {
        const gone = remove(objects, bucket.name, { key: Key!, version: VersionId || undefined, etag: ETag, now })
        deleted.push(VersionId
          ? { Key, VersionId, ...(gone.marker ? { DeleteMarker: true, DeleteMarkerVersionId: VersionId } : {}) }
          : { Key, ...(gone.marker ? { DeleteMarker: true, DeleteMarkerVersionId: gone.version } : {}) })
        return gone.freed
      } catch (error) {
        failed({ Key, VersionId }, error)
        return []
      }
    }))
    await objects.files.removeAll(freed)
    return { Deleted: Quiet ? undefined : deleted, Errors: errors.length > 0 ? errors : undefined }
  },
} satisfies Handlers<typeof Sdk>)
