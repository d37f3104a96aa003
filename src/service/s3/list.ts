/**
 * ListObjects, ListObjectsV2, ListObjectVersions: keys in the order of their UTF-8 bytes, rolled up at a delimiter.
 *
 * Invariant: pages go on from a key, never from an offset, and a rolled-up prefix costs one look however many keys it hides.
 */
import type * as Sdk from '@aws-sdk/client-s3'
import { ApiError } from '#kit/error'
import { canonicalId } from '#service/s3/bucket'
import { shownVersion, type S3 } from '#service/s3/context'
import { invalidArgument } from '#service/s3/errors'
import type { Handlers } from '#service/s3/handlers'
import { quoted } from '#service/s3/object'
import type { Tables, Version } from '#service/s3/tables'

const MOST = 1000
/** No key has a character behind this one; it is followed by whatever follows a prefix. */
const LAST = '\u{10ffff}'

type Asked = { prefix: string; delimiter: string; after: string; limit: number }
type Item = { name: string; version?: Version }

const later = (a: string, b: string): string => (Buffer.compare(Buffer.from(a), Buffer.from(b)) > 0 ? a : b)

/** The prefix up to its first delimiter that a key is rolled up to. */
function groupOf(key: string, { prefix, delimiter }: Asked): string | undefined {
  const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : key.slice(0, at + delimiter.length)
}

/** Keys and rolled-up prefixes after a name, at most `limit` and one, by which the caller sees that there are more. */
function walk(tables: Tables, bucket: string, asked: Asked): { items: Item[]; more: boolean } {
  const { prefix, after, limit } = asked
  const items: Item[] = []
  if (limit === 0) return { items, more: false }
  let from = later(prefix, after)
  let group = after
  for (;;) {
    const rows = tables.keysFrom(bucket, from, Math.min(limit + 2, MOST))
    let next: string | undefined
    for (const row of rows) {
      if (!row.key.startsWith(prefix)) return { items, more: false }
      next = `${row.key}\0`
      if (row.key === after) continue
      const rolled = groupOf(row.key, asked)
      if (rolled !== undefined && rolled === group) { next = later(`${group}${LAST}`, next); break }
      if (items.length === limit) return { items, more: true }
      items.push(rolled === undefined ? { name: row.key, version: row } : { name: rolled })
      if (rolled !== undefined) { group = rolled; next = later(`${rolled}${LAST}`, next); break }
    }
    if (next === undefined) return { items, more: false }
    from = next
  }
}

/** Names as the caller asked for them: as they are, or encoded so that XML can carry any. */
function encoder(type: string | undefined): (text: string | undefined) => string | undefined {
  if (type === undefined) return text => text
  if (type !== 'url') throw invalidArgument('encoding-type', type, 'Invalid Encoding Method specified in Request')
  return text => text && encodeURIComponent(text).replaceAll('%2F', '/').replace(/[!'()]/g, c => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function limitOf(most: number | undefined): number {
  if (most !== undefined && (!Number.isInteger(most) || most < 0)) {
    throw invalidArgument('maxKeys', most, 'Argument maxKeys must be an integer between 0 and 2147483647')
  }
  return Math.min(most ?? MOST, MOST)
}

const contents = (items: Item[], encode: ReturnType<typeof encoder>, owner: boolean): Sdk._Object[] =>
  items.flatMap(({ version }) => (version === undefined ? [] : [{
    Key: encode(version.key), LastModified: new Date(version.modified), ETag: quoted(version.etag), Size: version.size,
    StorageClass: 'STANDARD' as const, Owner: owner ? { ID: canonicalId(version.info.owner) } : undefined,
    ChecksumAlgorithm: version.info.checksum ? [version.info.checksum.algorithm as Sdk.ChecksumAlgorithm] : undefined,
    ChecksumType: version.info.checksum?.type,
  }]))
const prefixes = (items: Item[], encode: ReturnType<typeof encoder>): Sdk.CommonPrefix[] =>
  items.flatMap(({ name, version }) => (version === undefined ? [{ Prefix: encode(name) }] : []))

const tokenOf = (name: string): string => Buffer.from(name).toString('base64url')
function readToken(token: string): string {
  const name = Buffer.from(token, 'base64url').toString()
  if (token === '' || tokenOf(name) !== token) throw invalidArgument('continuation-token', token, 'The continuation token provided is incorrect')
  return name
}

export const lists = (s3: S3) => ({
  async ListObjects({ input }) {
    const { bucket, tables } = await s3.bucket(input.Bucket!)
    const encode = encoder(input.EncodingType)
    const limit = limitOf(input.MaxKeys)
    const asked = { prefix: input.Prefix ?? '', delimiter: input.Delimiter ?? '', after: input.Marker ?? '', limit }
    const { items, more } = walk(tables, bucket.name, asked)
    return {
      Name: bucket.name, Prefix: encode(asked.prefix) ?? '', Marker: encode(asked.after) ?? '', Delimiter: encode(input.Delimiter), MaxKeys: limit,
      EncodingType: input.EncodingType, IsTruncated: more, NextMarker: more && asked.delimiter !== '' ? encode(items.at(-1)!.name) : undefined,
      Contents: contents(items, encode, true), CommonPrefixes: prefixes(items, encode),
    }
  },

  async ListObjectsV2({ input }) {
    const { bucket, tables } = await s3.bucket(input.Bucket!)
    const encode = encoder(input.EncodingType)
    const limit = limitOf(input.MaxKeys)
    const after = input.ContinuationToken === undefined ? input.StartAfter ?? '' : readToken(input.ContinuationToken)
    const asked = { prefix: input.Prefix ?? '', delimiter: input.Delimiter ?? '', after, limit }
    const { items, more } = walk(tables, bucket.name, asked)
    return {
      Name: bucket.name, Prefix: encode(asked.prefix) ?? '', Delimiter: encode(input.Delimiter), MaxKeys: limit, KeyCount: items.length,
      EncodingType: input.EncodingType, IsTruncated: more, ContinuationToken: input.ContinuationToken, StartAfter: encode(input.StartAfter),
      NextContinuationToken: more ? tokenOf(items.at(-1)!.name) : undefined,
      Contents: contents(items, encode, input.FetchOwner ?? false), CommonPrefixes: prefixes(items, encode),
    }
  },

  async ListObjectVersions({ input }) {
    const { bucket, tables } = await s3.bucket(input.Bucket!)
    const encode = encoder(input.EncodingType)
    const limit = limitOf(input.MaxKeys)
    if (input.VersionIdMarker !== undefined && input.KeyMarker === undefined) {
      throw invalidArgument('version-id-marker', input.VersionIdMarker, 'A version-id marker cannot be specified without a key marker.')
    }
    const asked = { prefix: input.Prefix ?? '', delimiter: input.Delimiter ?? '', after: input.KeyMarker ?? '', limit }
    const { items, more } = walkVersions(tables, bucket.name, { ...asked, version: input.VersionIdMarker || undefined })
    const versions = items.flatMap(({ version }) => version ?? [])
    const common = (version: Version) => ({
      Key: encode(version.key), VersionId: shownVersion(bucket, version.version) ?? 'null', IsLatest: version.latest,
      LastModified: new Date(version.modified), Owner: { ID: canonicalId(version.info.owner) },
    })
    const last = items.at(-1)
    return {
      Name: bucket.name, Prefix: encode(asked.prefix) ?? '', KeyMarker: encode(asked.after) ?? '', VersionIdMarker: input.VersionIdMarker ?? '',
      MaxKeys: limit, Delimiter: encode(input.Delimiter), EncodingType: input.EncodingType, IsTruncated: more,
      NextKeyMarker: more ? encode(last!.name) : undefined, NextVersionIdMarker: more ? last!.version?.version : undefined,
      Versions: versions.filter(version => !version.marker).map(version => ({
        ...common(version), ETag: quoted(version.etag), Size: version.size, StorageClass: 'STANDARD' as const,
        ChecksumAlgorithm: version.info.checksum ? [version.info.checksum.algorithm as Sdk.ChecksumAlgorithm] : undefined,
      })),
      DeleteMarkers: versions.filter(version => version.marker).map(common),
      CommonPrefixes: prefixes(items, encode),
    }
  },
} satisfies Handlers<typeof Sdk>)

function walkVersions(tables: Tables, bucket: string, asked: Asked & { version: string | undefined }): { items: Item[]; more: boolean } {
  const { prefix, after, limit, version } = asked
  const items: Item[] = []
  if (limit === 0) return { items, more: false }
  const marker = version === undefined ? undefined : tables.version(bucket, after, version)
  if (version !== undefined && !marker) throw new ApiError('InvalidArgument', 'Invalid version id specified')
  let from = later(prefix, after)
  let group = version === undefined ? after : undefined
  // The rest of the versions of the key that the last page ended in.
  for (const rest of marker ? versionsBefore(tables, marker) : []) {
    if (items.length === limit) return { items, more: true }
    items.push({ name: rest.key, version: rest })
  }
  for (;;) {
    const rows = tables.versionsFrom(bucket, from, MOST)
    let next: string | undefined
    for (const [i, row] of rows.entries()) {
      if (!row.key.startsWith(prefix)) return { items, more: false }
      next = `${row.key}\0`
      if (row.key === after) continue
      const rolled = groupOf(row.key, asked)
      if (rolled !== undefined && rolled === group) { next = later(`${group}${LAST}`, next); break }
      if (items.length === limit) return { items, more: true }
      items.push(rolled === undefined ? { name: row.key, version: row } : { name: rolled })
      if (rolled !== undefined) { group = rolled; next = later(`${rolled}${LAST}`, next); break }
      if (i < rows.length - 1) continue
      // A batch may end amid the versions of a key.
      for (const rest of versionsBefore(tables, row)) {
        if (items.length === limit) return { items, more: true }
        items.push({ name: rest.key, version: rest })
      }
    }
    if (next === undefined) return { items, more: false }
    from = next
  }
}

function* versionsBefore(tables: Tables, { bucket, key, seq }: Version): Generator<Version> {
  for (let before = seq; ;) {
    const rows = tables.versionsOf(bucket, key, before, MOST)
    yield* rows
    if (rows.length < MOST) return
    before = rows.at(-1)!.seq
  }
}
