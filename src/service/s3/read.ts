/** GetObject, HeadObject, GetObjectAttributes. */
import type * as Sdk from '@aws-sdk/client-s3'
import type { Also } from '#kit/action'
import { ApiError } from '#kit/error'
import { getVersion, shownVersion, type S3 } from '#service/s3/context'
import { invalidArgument, invalidRequest, refuse } from '#service/s3/errors'
import type { Handlers } from '#service/s3/handlers'
import { checkRead, checksumMember, checksumMembers, checkVersionId, quoted, rangeOf, type ReadConditions } from '#service/s3/object'
import type { Bucket, Tables, Version } from '#service/s3/tables'

const REFUSED = ['SSECustomerAlgorithm', 'SSECustomerKey', 'SSECustomerKeyMD5']

type Asked = ReadConditions & { Key?: string; VersionId?: string; Range?: string; PartNumber?: number; ChecksumMode?: string }

/** Which of an object's bytes are asked for, undefined for all. */
function spanOf({ Range, PartNumber }: Asked, version: Version): { start: number; end: number } | undefined {
  if (PartNumber === undefined) return rangeOf(Range, version.size)
  if (Range !== undefined) throw invalidRequest('Cannot specify both Range header and partNumber query parameter')
  const pieces = version.info.multipart ? version.parts : [{ size: version.size }]
  if (!Number.isInteger(PartNumber) || PartNumber < 1 || PartNumber > 10_000) {
    throw invalidArgument('partNumber', PartNumber, 'Part number must be an integer between 1 and 10000, inclusive')
  }
  if (PartNumber > pieces.length) throw new ApiError('InvalidPartNumber', 'The requested partnumber is not satisfiable', 416)
  const start = pieces.slice(0, PartNumber - 1).reduce((sum, piece) => sum + piece.size, 0)
  return { start, end: start + pieces[PartNumber - 1]!.size }
}

function describe(version: Version, { asked, shown }: { asked: Asked; shown: string | undefined }) {
  const { info, size, etag, modified } = version
  const span = spanOf(asked, version)
  const { Expires, ...headers } = info.headers
  const tags = Object.keys(info.tags).length
  const members = {
    ...headers, Expires: Expires === undefined ? undefined : new Date(Expires), Metadata: info.meta, ETag: quoted(etag),
    LastModified: new Date(modified), AcceptRanges: 'bytes', ContentLength: span ? span.end - span.start : size, VersionId: shown,
    ServerSideEncryption: 'AES256' as const, WebsiteRedirectLocation: info.redirect, TagCount: tags > 0 ? tags : undefined,
    ContentRange: span && size > 0 ? `bytes ${span.start}-${span.end - 1}/${size}` : undefined,
    PartsCount: asked.PartNumber !== undefined && info.multipart ? version.parts.length : undefined,
    ...(asked.ChecksumMode === 'ENABLED' && !span ? checksumMembers(info) : {}),
  }
  return { members: { ...members, ContentType: headers.ContentType ?? 'binary/octet-stream' }, span: span ?? { start: 0, end: size } }
}

type Permit = (also: Also) => Promise<void>

/** That a key is not there is told only to those who may list the bucket; to others it is denied (API Reference, GetObject, "Permissions"). */
async function find({ tables, bucket }: { tables: Tables; bucket: Bucket }, asked: { key: string; version: string | undefined }, permit: Permit) {
  try {
    return getVersion(tables, bucket.name, asked)
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) await permit({ action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket.name}` })
    throw error
  }
}

export const reads = (s3: S3) => ({
  async GetObject({ input, permit }) {
    refuse('GetObject', input, REFUSED)
    const { bucket, tables, files } = await s3.bucket(input.Bucket!)
    const version = await find({ tables, bucket }, { key: input.Key!, version: checkVersionId(input.VersionId) }, permit)
    checkRead(input, version)
    const { members, span } = describe(version, { asked: input, shown: shownVersion(bucket, version.version) })
    const over = {
      ContentType: input.ResponseContentType, ContentLanguage: input.ResponseContentLanguage, Expires: input.ResponseExpires,
      CacheControl: input.ResponseCacheControl, ContentDisposition: input.ResponseContentDisposition, ContentEncoding: input.ResponseContentEncoding,
    }
    const asked = Object.fromEntries(Object.entries(over).filter(([, value]) => value !== undefined))
    const Body = files.read(version.parts, span) as unknown as Sdk.GetObjectCommandOutput['Body']
    return { ...members, ...asked, Body }
  },

  async HeadObject({ input, permit }) {
    refuse('HeadObject', input, REFUSED)
    const { bucket, tables } = await s3.bucket(input.Bucket!)
    const version = await find({ tables, bucket }, { key: input.Key!, version: checkVersionId(input.VersionId) }, permit)
    checkRead(input, version)
    return describe(version, { asked: input, shown: shownVersion(bucket, version.version) }).members
  },

  async GetObjectAttributes({ input, permit }) {
    refuse('GetObjectAttributes', input, REFUSED)
    const { bucket, tables } = await s3.bucket(input.Bucket!)
    const version = await find({ tables, bucket }, { key: input.Key!, version: checkVersionId(input.VersionId) }, permit)
    const { info, parts } = version
    const has = (name: string): boolean => input.ObjectAttributes!.some(asked => asked.split(',').map(one => one.trim()).includes(name))
    const marker = Number(input.PartNumberMarker ?? 0)
    const most = input.MaxParts ?? 1000
    const listed = parts.slice(marker, marker + most)
    return {
      LastModified: new Date(version.modified), VersionId: shownVersion(bucket, version.version),
      ETag: has('ETag') ? version.etag : undefined, ObjectSize: has('ObjectSize') ? version.size : undefined,
      StorageClass: has('StorageClass') ? 'STANDARD' as const : undefined,
      Checksum: has('Checksum') && info.checksum ? checksumMembers(info) : undefined,
      ObjectParts: has('ObjectParts') && info.multipart ? {
        TotalPartsCount: parts.length, PartNumberMarker: String(marker), MaxParts: most, IsTruncated: marker + listed.length < parts.length,
        NextPartNumberMarker: String(marker + listed.length),
        // S3 lists the parts of uploads with checksums alone.
        Parts: info.checksum ? listed.map(({ size, checksum }, i) => ({
          PartNumber: marker + i + 1, Size: size, ...(checksum ? { [checksumMember(info.checksum!.algorithm)]: checksum } : {}),
        })) : undefined,
      } : undefined,
    }
  },
} satisfies Handlers<typeof Sdk>)
