/** What all actions on objects share: the rules for keys, metadata and tags, conditions, and the answers' common members. */
import { randomBytes } from 'node:crypto'
import type { Tag } from '@aws-sdk/client-s3'
import { ApiError } from '#kit/error'
import { invalidArgument, notImplemented, noSuchKey, preconditionFailed, refuse } from '#service/s3/errors'
import type { Settings } from '#service/s3/settings'
import type { Bucket, Info, Version } from '#service/s3/tables'

const KEY_MAX = 1024
const METADATA_MAX = 2048
const TAGS_MAX = 10

export const arnOf = (bucket: string, key: string): string => `arn:aws:s3:::${bucket}/${key}`
export const quoted = (etag: string): string => `"${etag}"`
export const newVersionId = ({ settings }: Bucket<Settings>): string =>
  (settings.versioning === 'Enabled' ? randomBytes(24).toString('base64url') : 'null')

export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > KEY_MAX) {
    throw new ApiError('KeyTooLongError', 'Your key is too long', 400, { Size: Buffer.byteLength(key), MaxSizeAllowed: KEY_MAX })
  }
}

/** Tags as S3 allows them: ten an object, fifty a bucket. */
export function readTagSet(tags: readonly Tag[] = [], most = TAGS_MAX): Record<string, string> {
  const found = new Map<string, string>()
  const invalid = (message: string) => new ApiError('InvalidTag', message)
  for (const { Key = '', Value = '' } of tags) {
    if (Key === '' || Key.length > 128) throw invalid('The TagKey you have provided is invalid')
    if (Value.length > 256) throw invalid('The TagValue you have provided is invalid')
    if (/^aws:/i.test(Key)) throw invalid('System tags cannot be added/updated by requester')
    if (found.has(Key)) throw invalid('Cannot provide multiple Tags with the same key')
    found.set(Key, Value)
  }
  if (found.size > most) throw new ApiError('BadRequest', `Object tags cannot be greater than ${most}`)
  return Object.fromEntries(found)
}

export const tagSet = (tags: Record<string, string>): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))

export const tagsOfHeader = (text: string | undefined): Record<string, string> =>
  readTagSet([...new URLSearchParams(text ?? '')].map(([Key, Value]) => ({ Key, Value })))

type Described = {
  ACL?: string; StorageClass?: string; ServerSideEncryption?: string; Metadata?: Record<string, string>; Tagging?: string
  ContentType?: string; ContentEncoding?: string; ContentDisposition?: string; ContentLanguage?: string; CacheControl?: string; Expires?: Date
  WebsiteRedirectLocation?: string
}

/** What is asked for and not done here: keys of one's own or of KMS, locks, other classes of storage. */
const REFUSED = [
  'SSECustomerAlgorithm', 'SSECustomerKey', 'SSECustomerKeyMD5', 'SSEKMSKeyId', 'SSEKMSEncryptionContext', 'BucketKeyEnabled', 'ObjectLockMode',
  'ObjectLockRetainUntilDate', 'ObjectLockLegalHoldStatus', 'CopySourceSSECustomerAlgorithm', 'CopySourceSSECustomerKey', 'WriteOffsetBytes',
  'CopySourceSSECustomerKeyMD5',
]
const GRANTS = ['GrantFullControl', 'GrantRead', 'GrantReadACP', 'GrantWrite', 'GrantWriteACP']

/** Buckets' owners own all in them (S3 User Guide, "Controlling ownership of objects"): other access lists than these two are refused by S3 too. */
export function checkAcl(input: { ACL?: string }): void {
  const given = GRANTS.some(name => (input as Record<string, unknown>)[name] !== undefined)
  if (given || ![undefined, 'private', 'bucket-owner-full-control'].includes(input.ACL)) {
    throw new ApiError('AccessControlListNotSupported', 'The bucket does not allow ACLs')
  }
}

export function refuseUnknown(operation: string, input: Described): void {
  refuse(operation, input, REFUSED)
  checkAcl(input)
  if (input.StorageClass !== undefined && input.StorageClass !== 'STANDARD') throw notImplemented(`the storage class ${input.StorageClass}`)
  if (input.ServerSideEncryption !== undefined && input.ServerSideEncryption !== 'AES256') {
    throw notImplemented(`the encryption ${input.ServerSideEncryption}`)
  }
}

/** What a request says of an object besides its bytes. */
export function infoOf(input: Described, owner: string): Info {
  const meta = input.Metadata ?? {}
  const size = Object.entries(meta).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0)
  if (size > METADATA_MAX) {
    throw new ApiError('MetadataTooLarge', 'Your metadata headers exceed the maximum allowed metadata size', 400,
      { Size: size, MaxSizeAllowed: METADATA_MAX })
  }
  const redirect = input.WebsiteRedirectLocation
  if (redirect !== undefined && !/^(\/|https?:\/\/)/.test(redirect)) {
    throw new ApiError('InvalidRedirectLocation', "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
  }
  const encoding = input.ContentEncoding?.split(',').map(part => part.trim()).filter(part => part !== 'aws-chunked' && part !== '').join(',')
  const headers = {
    ContentType: input.ContentType, ContentEncoding: encoding || undefined, ContentDisposition: input.ContentDisposition,
    ContentLanguage: input.ContentLanguage, CacheControl: input.CacheControl, Expires: input.Expires?.toUTCString(),
  }
  return { owner, headers, meta, tags: tagsOfHeader(input.Tagging), redirect }
}

type WriteConditions = { IfMatch?: string; IfNoneMatch?: string }

/** Conditional writes, asked before the body is read and again in the transaction that makes the object visible. */
export function checkWrite({ IfMatch, IfNoneMatch }: WriteConditions, { key, latest }: { key: string; latest: Version | undefined }): void {
  const there = latest && !latest.marker ? latest : undefined
  if (IfNoneMatch !== undefined) {
    if (IfNoneMatch !== '*') throw notImplemented('If-None-Match of a write with another value than *')
    if (there) throw preconditionFailed('If-None-Match')
  }
  if (IfMatch === undefined) return
  if (!there) throw noSuchKey(key)
  if (!matchesTag(IfMatch, there.etag)) throw preconditionFailed('If-Match')
}

const matchesTag = (list: string, etag: string): boolean =>
  list.split(',').map(item => item.trim().replace(/^W\//, '').replaceAll('"', '')).some(item => item === '*' || item === etag)

export type ReadConditions = { IfMatch?: string; IfNoneMatch?: string; IfModifiedSince?: Date; IfUnmodifiedSince?: Date }

/** Conditions of a read in the order of RFC 9110, section 13.2.2. */
export function checkRead(conditions: ReadConditions, { etag, modified }: Version): void {
  const { IfMatch, IfNoneMatch, IfModifiedSince, IfUnmodifiedSince } = conditions
  const seconds = Math.floor(Date.parse(modified) / 1000) * 1000
  const notModified = () => new ApiError('NotModified', 'Not Modified', 304, { ETag: quoted(etag) })
  if (IfMatch !== undefined) {
    if (!matchesTag(IfMatch, etag)) throw preconditionFailed('If-Match')
  } else if (IfUnmodifiedSince && seconds > IfUnmodifiedSince.getTime()) throw preconditionFailed('If-Unmodified-Since')
  if (IfNoneMatch !== undefined) {
    if (matchesTag(IfNoneMatch, etag)) throw notModified()
  } else if (IfModifiedSince && seconds <= IfModifiedSince.getTime()) throw notModified()
}

/** The conditions on a copy's source, of which none is answered with 304. */
export function checkSource(conditions: ReadConditions, version: Version): void {
  try {
    checkRead(conditions, version)
  } catch (error) {
    if (error instanceof ApiError && error.status === 304) throw preconditionFailed('x-amz-copy-source-If-None-Match')
    throw error
  }
}

/** `bytes=a-b`, `a-` or `-n`; what is no single range means the whole, as S3 reads it. */
export function rangeOf(text: string | undefined, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(text ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const unsatisfiable = () =>
    new ApiError('InvalidRange', 'The requested range is not satisfiable', 416, { RangeRequested: text, ActualObjectSize: size })
  if (match[1] === '') {
    const last = Number(match[2])
    if (last === 0 || size === 0) throw unsatisfiable()
    return { start: Math.max(0, size - last), end: size }
  }
  const start = Number(match[1])
  const last = match[2] === '' ? size - 1 : Number(match[2])
  if (match[2] !== '' && last < start) return undefined
  if (start >= size) throw unsatisfiable()
  return { start, end: Math.min(last + 1, size) }
}

/** The member that holds a checksum of this algorithm. */
export const checksumMember = (algorithm: string): `Checksum${string}` => `Checksum${algorithm}`

export function checksumMembers({ checksum }: Info): Record<string, string | undefined> {
  return checksum?.value === undefined ? {} : { [checksumMember(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type }
}

export const checkVersionId = (id: string | undefined): string | undefined => {
  if (id === '') throw invalidArgument('versionId', id, 'Version id cannot be the empty string')
  return id
}
