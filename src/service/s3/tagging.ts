/** Tags and access lists of objects. */
import type * as Sdk from '@aws-sdk/client-s3'
import { ApiError } from '#kit/error'
import { aclOf } from '#service/s3/bucket'
import { getVersion, shownVersion, type S3 } from '#service/s3/context'
import type { Handlers } from '#service/s3/handlers'
import { checkAcl, checkVersionId, readTagSet, tagSet } from '#service/s3/object'

type Named = { Bucket?: string; Key?: string; VersionId?: string }

export const objectTags = (s3: S3) => {
  async function edit(input: Named, tags: Record<string, string>): Promise<{ VersionId: string | undefined }> {
    const { bucket, tables } = await s3.bucket(input.Bucket!)
    const asked = { key: input.Key!, version: checkVersionId(input.VersionId) }
    const version = await tables.transact(() => {
      const found = getVersion(tables, bucket.name, asked)
      tables.setInfo(found.seq, { ...found.info, tags })
      return found
    })
    return { VersionId: shownVersion(bucket, version.version) }
  }
  async function find(input: Named) {
    const { bucket, tables } = await s3.bucket(input.Bucket!)
    return { bucket, version: getVersion(tables, bucket.name, { key: input.Key!, version: checkVersionId(input.VersionId) }) }
  }
  return {
    async GetObjectTagging({ input }) {
      const { bucket, version } = await find(input)
      return { TagSet: tagSet(version.info.tags), VersionId: shownVersion(bucket, version.version) }
    },
    PutObjectTagging: ({ input }) => edit(input, readTagSet(input.Tagging!.TagSet)),
    DeleteObjectTagging: ({ input }) => edit(input, {}),
    async GetObjectAcl({ input }) { return aclOf((await find(input)).bucket) },
    async PutObjectAcl({ input }) {
      await find(input)
      checkAcl(input)
      if (input.AccessControlPolicy) throw new ApiError('AccessControlListNotSupported', 'The bucket does not allow ACLs')
      return {}
    },
  } satisfies Handlers<typeof Sdk>
}
