/**
 * PutObject and CopyObject: an object becomes visible in one transaction, after its bytes are on the disk.
 */
import { createHash } from 'node:crypto'
import type * as Sdk from '@aws-sdk/client-s3'
import { isAlgorithm, openChecksum, type Algorithm } from '#base/checksum'
import type { Also } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Handlers } from '#service/s3/handlers'
import { getBucket, getVersion, shownVersion, type Objects, type S3 } from '#service/s3/context'
import { invalidArgument, invalidRequest, noSuchKey } from '#service/s3/errors'
import {
  arnOf, checkKey, checksumMembers, checkSource, checkWrite, infoOf, newVersionId, quoted, refuseUnknown, type ReadConditions,
} from '#service/s3/object'
import { LARGEST, receive } from '#service/s3/receive'
import type { Info, NewPiece, Version } from '#service/s3/tables'

type Made = { key: string; size: number; etag: string; info: Info; parts: NewPiece[]; now: Date }
type Conditions = { IfMatch?: string; IfNoneMatch?: string }
export type Show = {
  bucket: string
  conditions: Conditions
  make: Made
  /** The pieces are somebody's already: the error where they went meanwhile. */
  shared?: () => ApiError
  /** Further changes of the same transaction; answers files that are nobody's any more. */
  also?(): string[]
}

/** Makes a new latest version visible, or throws and leaves its files to the caller. Answers its id as it is shown. */
export async function show({ tables, files }: Objects, { bucket: name, conditions, make, shared, also }: Show): Promise<string | undefined> {
  const { key, now, ...rest } = make
  const { freed, shown } = await tables.transact(() => {
    const bucket = getBucket(tables, name)
    checkWrite(conditions, { key, latest: tables.latest(name, key) })
    if (shared && !make.parts.every(piece => tables.isFile(piece.file))) throw shared()
    const version = newVersionId(bucket)
    const before = version === 'null' ? tables.version(name, key, version) : undefined
    const freed = tables.putVersion({ ...rest, bucket: name, key, version, marker: false, modified: now.toISOString() }, before)
    return { freed: [...freed, ...also?.() ?? []], shown: shownVersion(bucket, version) }
  })
  await files.removeAll(freed)
  return shown
}

export type Source = { bucket: string; key: string; version: string | undefined }

/** x-amz-copy-source: `bucket/key`, encoded, perhaps with a slash before and a version behind. */
export function sourceOf(text: string): Source {
  const [path = '', query = ''] = text.replace(/^\//, '').split('?versionId=')
  let plain: string
  try {
    plain = decodeURIComponent(path.replaceAll('+', '%20'))
  } catch {
    throw invalidArgument('x-amz-copy-source', text, 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey')
  }
  const slash = plain.indexOf('/')
  if (slash < 1 || slash === plain.length - 1) {
    throw invalidArgument('x-amz-copy-source', text, 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey')
  }
  return { bucket: plain.slice(0, slash), key: plain.slice(slash + 1), version: query || undefined }
}

/** A copy reads its source as GetObject does, and must be allowed to. */
export function permitSource(permit: (also: Also) => Promise<void>, text: string): Promise<void> {
  const { bucket, key, version } = sourceOf(text)
  const [action, keys] = version === undefined ? ['s3:GetObject', {}] : ['s3:GetObjectVersion', { 's3:VersionId': [version] }]
  return permit({ action, resource: arnOf(bucket, key), keys })
}

type CopyInput = {
  CopySource?: string; CopySourceIfMatch?: string; CopySourceIfNoneMatch?: string; CopySourceIfModifiedSince?: Date
  CopySourceIfUnmodifiedSince?: Date; ExpectedSourceBucketOwner?: string
}

/** The version that a copy is made of, with the conditions on it. */
export function readSource({ tables }: Objects, input: CopyInput): Version {
  const source = sourceOf(input.CopySource!)
  const { account } = getBucket(tables, source.bucket)
  if (input.ExpectedSourceBucketOwner !== undefined && input.ExpectedSourceBucketOwner !== account) {
    throw new ApiError('AccessDenied', 'Access Denied', 403)
  }
  const version = getVersion(tables, source.bucket, source)
  const conditions: ReadConditions = {
    IfMatch: input.CopySourceIfMatch, IfNoneMatch: input.CopySourceIfNoneMatch, IfModifiedSince: input.CopySourceIfModifiedSince,
    IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
  }
  checkSource(conditions, version)
  return version
}

/** A copy is made in one piece: its ETag is its MD5 and its checksum is of the whole, where the source's were joined of parts'. */
async function digestsOf({ files }: Objects, source: Version, asked: string | undefined): Promise<{ etag: string; checksum: Info['checksum'] }> {
  const { info, size, parts, etag } = source
  if (size > LARGEST) {
    throw invalidRequest(`The specified copy source is larger than the maximum allowable size for a copy source: ${LARGEST}`)
  }
  if (asked !== undefined && !isAlgorithm(asked)) throw invalidRequest('Checksum algorithm provided is unsupported.')
  const algorithm = asked ?? info.checksum?.algorithm
  const known = info.checksum?.type === 'FULL_OBJECT' && info.checksum.algorithm === algorithm
  if (!info.multipart && (known || algorithm === undefined)) return { etag, checksum: info.checksum }
  const md5 = info.multipart ? createHash('md5') : undefined
  const sum = algorithm !== undefined && !known ? openChecksum(algorithm as Algorithm) : undefined
  for await (const bytes of files.read(parts, { start: 0, end: size })) {
    md5?.update(bytes)
    sum?.update(bytes)
  }
  const checksum = sum ? { algorithm: algorithm!, value: sum.digest(), type: 'FULL_OBJECT' as const } : info.checksum
  return { etag: md5?.digest('hex') ?? etag, checksum }
}

export const writes = (s3: S3) => ({
  async PutObject({ input, account, now, permit }) {
    refuseUnknown('PutObject', input)
    const key = input.Key!
    checkKey(key)
    if (input.Tagging) await permit({ action: 's3:PutObjectTagging', resource: arnOf(input.Bucket!, key) })
    const { bucket, ...objects } = await s3.bucket(input.Bucket!)
    checkWrite(input, { key, latest: objects.tables.latest(bucket.name, key) })
    const info = infoOf(input, account)
    const { piece, size, md5, checksum } = await receive(objects.files, input)
    if (checksum) info.checksum = { ...checksum, type: 'FULL_OBJECT' }
    const etag = md5.toString('hex')
    const make = { key, size, etag, info, parts: size === 0 ? [] : [piece], now }
    const version = await show(objects, { bucket: bucket.name, conditions: input, make }).catch(dropping(objects, piece))
    return { ETag: quoted(etag), VersionId: version, ServerSideEncryption: 'AES256', ...checksumMembers(info) }
  },

  async CopyObject({ input, account, now, permit }) {
    refuseUnknown('CopyObject', input)
    const key = input.Key!
    checkKey(key)
    await permitSource(permit, input.CopySource!)
    const { bucket, ...objects } = await s3.bucket(input.Bucket!)
    const source = readSource(objects, input)
    const replaced = input.MetadataDirective === 'REPLACE'
    const sameTags = input.TaggingDirective !== 'REPLACE'
    const latest = source.bucket === bucket.name && source.key === key && source.latest
    if (latest && !replaced && sameTags && input.WebsiteRedirectLocation === undefined && input.ServerSideEncryption === undefined
      && input.StorageClass === undefined) {
      throw invalidRequest('This copy request is illegal because it is trying to copy an object to itself without changing the object\'s metadata, '
        + 'storage class, website redirect location or encryption attributes.')
    }
    const given = infoOf(input, account)
    const { headers, meta, redirect } = replaced ? given : { ...source.info, redirect: given.redirect }
    const { etag, checksum } = await digestsOf(objects, source, input.ChecksumAlgorithm)
    const info: Info = { owner: account, headers, meta, redirect, tags: sameTags ? source.info.tags : given.tags, checksum }
    // The bytes are the same ones: a file may be part of several objects.
    const { size, parts } = source
    const make = { key, size, etag, info, parts, now }
    const version = await show(objects, { bucket: bucket.name, conditions: input, make, shared: () => noSuchKey(source.key) })
    return {
      VersionId: version, CopySourceVersionId: shownVersion(getBucket(objects.tables, source.bucket), source.version), ServerSideEncryption: 'AES256',
      CopyObjectResult: { ETag: quoted(etag), LastModified: now, ...checksumMembers(info) as object },
    }
  },
} satisfies Handlers<typeof Sdk>)

/** Removes a file that never became visible, and passes the error on. */
export const dropping = ({ files }: Objects, { file, bytes }: NewPiece) => async (error: unknown): Promise<never> => {
  if (file !== '' && !bytes) await files.removeAll([file])
  throw error
}
