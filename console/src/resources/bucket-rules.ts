/**
 * Lifecycle rules of a bucket. S3 takes all of them at once.
 *
 * Invariant: what a form does not show of a rule (dates) stays as it is when the rule is changed.
 */
import { call, orNone } from '../api/call'
import { lines } from './choices'
import type { Action, Call, Field, Form, Item, Values } from './kinds'

export const rulesOf = async (bucket: string): Promise<Item[]> =>
  (await orNone('NoSuchLifecycleConfiguration', call('s3', 'GetBucketLifecycleConfiguration', { Bucket: bucket }))).Rules ?? []

export const putRules = (bucket: string, rules: Item[]): Call =>
  rules.length === 0
    ? { operation: 'DeleteBucketLifecycle', input: { Bucket: bucket } }
    : { operation: 'PutBucketLifecycleConfiguration', input: { Bucket: bucket, LifecycleConfiguration: { Rules: rules } } }

const isDays = (value: string) => (value === '' || /^[1-9]\d*$/.test(value) ? undefined : 'buckets.wrongDays')
const days = (name: string, label: Field['label']): Field => ({ name, label, kind: 'number', optional: true, wrong: isDays })
const isBytes = (value: string) => (value === '' || /^\d+$/.test(value) ? undefined : 'buckets.wrongBytes')
const bytes = (name: string, label: Field['label']): Field => ({ name, label, kind: 'number', optional: true, wrong: isBytes })
const fields: Field[] = [
  { name: 'prefix', label: 'buckets.prefix', hint: 'buckets.prefixHint', optional: true },
  { name: 'tags', label: 'buckets.ruleTags', hint: 'buckets.ruleTagsHint', kind: 'area', optional: true },
  bytes('larger', 'buckets.larger'),
  bytes('smaller', 'buckets.smaller'),
  days('expire', 'buckets.expire'),
  { name: 'markers', label: 'buckets.markers', kind: 'bool', when: values => values.expire === '' && !values.date },
  days('noncurrent', 'buckets.noncurrent'),
  { ...days('keep', 'buckets.keep'), when: values => values.noncurrent !== '' },
  days('uploads', 'buckets.uploads'),
]

const count = (value: string): number | undefined => (value === '' || isDays(value) ? undefined : Number(value))
const valuesOf = ({ Expiration, NoncurrentVersionExpiration: old, AbortIncompleteMultipartUpload: abort, ...rule }: Item): Values => ({
  ...scopeOf(rule),
  expire: String(Expiration?.Days ?? ''),
  date: Expiration?.Date,
  markers: Expiration?.ExpiredObjectDeleteMarker === true,
  noncurrent: String(old?.NoncurrentDays ?? ''),
  keep: String(old?.NewerNoncurrentVersions ?? ''),
  uploads: String(abort?.DaysAfterInitiation ?? ''),
})

function conditionsOf({ Filter: { And, ...one } = {} as Item }: Item): Item {
  const { Tag, Tags = [], ...rest } = { ...one, ...And }
  return { ...rest, tags: [...Tags, ...(Tag ? [Tag] : [])] }
}
/** Which objects a rule is about. */
function scopeOf(rule: Item): Values {
  const { tags, ...rest } = conditionsOf(rule)
  return {
    prefix: rule.Prefix ?? rest.Prefix ?? '',
    tags: tags.map(({ Key, Value }: Item) => `${Key}=${Value}`).join('\n'),
    larger: String(rest.ObjectSizeGreaterThan ?? ''),
    smaller: String(rest.ObjectSizeLessThan ?? ''),
  }
}
/** A line is a key and, after the first sign of equality, a value. */
const tagOf = (line: string): object => {
  const [Key, ...rest] = line.split('=')
  return { Key, Value: rest.join('=') }
}
const size = (value: string): number | undefined => (value === '' || isBytes(value) ? undefined : Number(value))

/** Several conditions stand in an And (API Reference: LifecycleRuleFilter). Tags whose lines were left are what they were, whatever their signs. */
function filterOf({ prefix, larger, smaller, ...values }: Values, before: Item): object {
  const tags = values.tags === scopeOf(before).tags ? conditionsOf(before).tags : lines(values.tags).map(tagOf)
  const sizes = { ObjectSizeGreaterThan: size(larger), ObjectSizeLessThan: size(smaller) }
  const given = Object.entries({ ...sizes, Prefix: prefix || undefined }).filter(([, value]) => value !== undefined)
  if (tags.length + given.length > 1) return { And: { ...Object.fromEntries(given), Tags: tags.length > 0 ? tags : undefined } }
  if (tags.length === 1) return { Tag: tags[0] }
  return given.length === 1 ? Object.fromEntries(given) : { Prefix: '' }
}

function expirationOf({ expire, date, markers }: Values): object | undefined {
  if (count(expire)) return { Days: count(expire) }
  if (date) return { Date: date }
  return markers ? { ExpiredObjectDeleteMarker: true } : undefined
}

/** The rule as the form says; undefined where it does nothing. */
function ruleOf(values: Values, before: Item): Item | undefined {
  const { Prefix: _, ...rule } = before
  const Expiration = expirationOf(values)
  const old = { NoncurrentDays: count(values.noncurrent), NewerNoncurrentVersions: count(values.keep) }
  const NoncurrentVersionExpiration = old.NoncurrentDays ? old : undefined
  const uploads = count(values.uploads)
  const AbortIncompleteMultipartUpload = uploads ? { DaysAfterInitiation: uploads } : undefined
  if (!Expiration && !NoncurrentVersionExpiration && !AbortIncompleteMultipartUpload) return undefined
  return { ...rule, Filter: filterOf(values, before), Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload }
}

export const newRule: Form = {
  fields: [{ name: 'name', label: 'buckets.rule' }, ...fields],
  start: async ({ Name }) => ({ rules: await rulesOf(Name) }),
  calls(values, { Name }) {
    const rule = ruleOf(values, { ID: values.name, Status: 'Enabled' })
    return rule && values.rules && values.name !== '' ? [putRules(Name, [...values.rules, rule])] : []
  },
}

/** What may be done with rules, of which there are these. */
export function ruleActions(bucket: string, rules: Item[]): Action[] {
  const changed = (change: (rule: Item) => Item): Call[] => [putRules(bucket, rules.map(change))]
  const turn = (Status: 'Enabled' | 'Disabled'): Action => ({
    id: Status,
    label: Status === 'Enabled' ? 'buckets.ruleOn' : 'buckets.ruleOff',
    calls: chosen => changed(rule => (chosen.some(({ ID }) => ID === rule.ID) ? { ...rule, Status } : rule)),
    enabled: rule => rule.Status !== Status,
    confirm: 'plain',
  })
  const edit: Action = {
    id: 'edit',
    label: 'buckets.editRule',
    form: {
      fields,
      start: valuesOf,
      calls(values, item) {
        const rule = ruleOf(values, item)
        return rule && JSON.stringify(valuesOf(rule)) !== JSON.stringify(valuesOf(item)) ? changed(one => (one.ID === item.ID ? rule : one)) : []
      },
    },
  }
  const remove: Action = {
    id: 'remove',
    label: 'do.delete',
    calls: chosen => [putRules(bucket, rules.filter(rule => !chosen.some(({ ID }) => ID === rule.ID)))],
    confirm: 'plain',
  }
  return [edit, turn('Enabled'), turn('Disabled'), remove]
}
