/**
 * Lifecycle rules: checked when they are set, and run by the sweep.
 *
 * Invariant: a rule deletes only what it names and what is older than it says, counted as S3 counts: days are over at
 * the midnight (UTC) after them (S3 User Guide, "Lifecycle rules: Based on an object's age").
 */
import { randomUUID } from 'node:crypto'
import type { LifecycleRule } from '@aws-sdk/client-s3'
import type { Objects, S3 } from '#service/s3/context'
import { invalidArgument, invalidRequest, malformedXml, notImplemented } from '#service/s3/errors'
import type { Settings } from '#service/s3/settings'
import type { Bucket, Version } from '#service/s3/tables'

const DAY_MS = 86_400_000
const MOST_RULES = 1000
const BATCH = 500

const positive = (days: number | undefined, name: string): void => {
  if (days !== undefined && (!Number.isInteger(days) || days < 1)) throw invalidArgument(name, days, `'${name}' must be a positive integer`)
}

/** The rules as they are kept. Throws S3's error for what is malformed and names what is not done. */
export function checkRules(rules: readonly LifecycleRule[] = []): LifecycleRule[] {
  if (rules.length === 0 || rules.length > MOST_RULES) throw malformedXml()
  const ids = rules.map(rule => rule.ID).filter(Boolean)
  if (new Set(ids).size !== ids.length) throw invalidArgument('ID', ids[0], 'Rule ID must be unique. Found same ID for more than one rule')
  return rules.map(rule => {
    const { Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload, Filter, Prefix, Status } = rule
    if (rule.Transitions?.length || rule.NoncurrentVersionTransitions?.length) throw notImplemented('transitions to other storage classes')
    if (Status !== 'Enabled' && Status !== 'Disabled') throw malformedXml()
    if (Filter !== undefined && Prefix !== undefined) throw malformedXml()
    if (!Expiration && !NoncurrentVersionExpiration && !AbortIncompleteMultipartUpload)
      throw invalidRequest('At least one action needs to be specified in a rule.')
    const given = [Expiration?.Days, Expiration?.Date, Expiration?.ExpiredObjectDeleteMarker].filter(value => value !== undefined)
    if (Expiration && given.length !== 1) throw malformedXml()
    positive(Expiration?.Days, 'Days')
    if (Expiration?.Date && new Date(Expiration.Date).getTime() % DAY_MS !== 0) {
      throw invalidArgument('Date', Expiration.Date, "'Date' must be at midnight GMT")
    }
    positive(NoncurrentVersionExpiration?.NoncurrentDays, 'NoncurrentDays')
    positive(AbortIncompleteMultipartUpload?.DaysAfterInitiation, 'DaysAfterInitiation')
    if (AbortIncompleteMultipartUpload && (Filter?.Tag ?? Filter?.And?.Tags)) {
      throw invalidRequest('AbortIncompleteMultipartUpload cannot be specified with Tags.')
    }
    return { ...rule, ID: rule.ID ?? randomUUID() }
  })
}

/** The midnight after so many days. */
const due = (from: string, days: number): number => Math.ceil((Date.parse(from) + days * DAY_MS) / DAY_MS) * DAY_MS

const prefixOf = ({ Filter, Prefix }: LifecycleRule): string => Prefix ?? Filter?.Prefix ?? Filter?.And?.Prefix ?? ''

function chooses({ Filter = {} }: LifecycleRule, { size, info, marker }: Version): boolean {
  const { Tag, ObjectSizeGreaterThan: more, ObjectSizeLessThan: less } = { ...Filter.And, Tag: Filter.Tag, ...Filter }
  const tags = [...Filter.And?.Tags ?? [], ...(Tag ? [Tag] : [])]
  if (marker) return tags.length === 0
  return tags.every(({ Key, Value }) => info.tags[Key!] === Value) && (more === undefined || size > more) && (less === undefined || size < less)
}

/** The versions of one key, the newest first, that the rule deletes or hides now. */
function overdue(rule: LifecycleRule, versions: Version[], now: Date): { hide: boolean; remove: Version[] } {
  const [latest, ...rest] = versions
  const { Expiration, NoncurrentVersionExpiration: old } = rule
  const past = (at: number) => at <= now.getTime()
  const expired = latest !== undefined && !latest.marker && chooses(rule, latest) && Expiration !== undefined
    && ((Expiration.Days !== undefined && past(due(latest.modified, Expiration.Days)))
      || (Expiration.Date !== undefined && past(new Date(Expiration.Date).getTime())))
  // A version is out of date since the next newer one came.
  const remove = old === undefined ? [] : rest.filter((version, i) => i >= (old.NewerNoncurrentVersions ?? 0) && chooses(rule, version)
    && past(due(versions[i]!.modified, old.NoncurrentDays ?? 1)))
  const lone = latest?.marker && rest.length === 0
    && (Expiration?.ExpiredObjectDeleteMarker || (Expiration?.Days !== undefined && past(due(latest.modified, Expiration.Days))))
  return { hide: expired, remove: lone ? [latest!] : remove }
}

/** Runs every bucket's enabled rules. Answers how many versions went. */
export async function expire(s3: S3, now: Date): Promise<number> {
  const objects = await s3.ready()
  let count = 0
  for (const bucket of objects.tables.buckets() as Bucket<Settings>[]) {
    for (const rule of bucket.settings.lifecycle ?? []) {
      if (rule.Status === 'Enabled') count += await run(objects, bucket, { rule, now })
    }
  }
  return count
}

async function run({ tables, files }: Objects, bucket: Bucket<Settings>, { rule, now }: { rule: LifecycleRule; now: Date }): Promise<number> {
  const prefix = prefixOf(rule)
  const { DaysAfterInitiation: days } = rule.AbortIncompleteMultipartUpload ?? {}
  const stale = days === undefined ? []
    : tables.uploads(bucket.name).filter(({ key, created }) => key.startsWith(prefix) && due(created, days) <= now.getTime())
  await files.removeAll(await tables.transact(() => stale.flatMap(upload => tables.removeUpload(upload.id))))
  let count = stale.length
  for (let from = prefix; ;) {
    const rows = tables.versionsFrom(bucket.name, from, BATCH)
    const mine = rows.filter(row => row.key.startsWith(prefix))
    const keys = [...new Set(mine.map(row => row.key))]
    const freed = await tables.transact(() => keys.flatMap(key => {
      // Read again, whole: a batch may end amid a key, and the transaction must see what is there now.
      const versions = tables.versionsOf(bucket.name, key, Number.MAX_SAFE_INTEGER, 100_000)
      const { hide, remove } = overdue(rule, versions, now)
      count += remove.length + (hide ? 1 : 0)
      const gone = remove.flatMap(version => tables.removeVersion(version))
      if (!hide) return gone
      if (bucket.settings.versioning === undefined) return [...gone, ...tables.removeVersion(versions[0]!)]
      const version = bucket.settings.versioning === 'Enabled' ? randomUUID() : 'null'
      const before = version === 'null' ? tables.version(bucket.name, key, version) : undefined
      const info = { owner: bucket.account, headers: {}, meta: {}, tags: {} }
      const marker = { bucket: bucket.name, key, version, marker: true, size: 0, etag: '', modified: now.toISOString(), info, parts: [] }
      return [...gone, ...tables.putVersion(marker, before)]
    }))
    await files.removeAll(freed)
    if (mine.length < BATCH) return count
    from = `${keys.at(-1)!}\0`
  }
}
