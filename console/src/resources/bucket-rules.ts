/**
 * Lifecycle rules of a bucket. S3 takes all of them at once.
 *
 * Invariant: what a form does not show of a rule (tags, sizes, dates) stays as it is when the rule is changed.
 */
import { call, orNone } from '../api/call'
import type { Action, Call, Field, Form, Item, Values } from './kinds'

export const rulesOf = async (bucket: string): Promise<Item[]> =>
  (await orNone('NoSuchLifecycleConfiguration', call('s3', 'GetBucketLifecycleConfiguration', { Bucket: bucket }))).Rules ?? []

export const putRules = (bucket: string, rules: Item[]): Call =>
  rules.length === 0
    ? { operation: 'DeleteBucketLifecycle', input: { Bucket: bucket } }
    : { operation: 'PutBucketLifecycleConfiguration', input: { Bucket: bucket, LifecycleConfiguration: { Rules: rules } } }

const isDays = (value: string) => (value === '' || /^[1-9]\d*$/.test(value) ? undefined : 'buckets.wrongDays')
const days = (name: string, label: Field['label']): Field => ({ name, label, kind: 'number', optional: true, wrong: isDays })
const fields: Field[] = [
  { name: 'prefix', label: 'buckets.prefix', hint: 'buckets.prefixHint', optional: true },
  days('expire', 'buckets.expire'),
  { name: 'markers', label: 'buckets.markers', kind: 'bool', when: values => values.expire === '' && !values.date },
  days('noncurrent', 'buckets.noncurrent'),
  { ...days('keep', 'buckets.keep'), when: values => values.noncurrent !== '' },
  days('uploads', 'buckets.uploads'),
]

const count = (value: string): number | undefined => (value === '' || isDays(value) ? undefined : Number(value))
const valuesOf = ({ Expiration, NoncurrentVersionExpiration: old, AbortIncompleteMultipartUpload: abort, ...rule }: Item): Values => ({
  prefix: rule.Prefix ?? rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? '',
  expire: String(Expiration?.Days ?? ''),
  date: Expiration?.Date,
  markers: Expiration?.ExpiredObjectDeleteMarker === true,
  noncurrent: String(old?.NoncurrentDays ?? ''),
  keep: String(old?.NewerNoncurrentVersions ?? ''),
  uploads: String(abort?.DaysAfterInitiation ?? ''),
})

/** The same scope with another prefix. Several conditions stand in an And (API Reference: LifecycleRuleFilter). */
function filterOf({ Filter: { And, ...one } = {} as Item }: Item, prefix: string): object {
  const { Prefix: _, Tag, Tags = [], ...sizes } = { ...one, ...And }
  const tags = [...Tags, ...(Tag ? [Tag] : [])]
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
  return { ...rule, Filter: filterOf(before, values.prefix), Expiration, NoncurrentVersionExpiration, AbortIncompleteMultipartUpload }
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
