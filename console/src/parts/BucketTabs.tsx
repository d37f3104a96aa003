/** What a bucket was told: its lifecycle rules, and which pages of elsewhere may ask for its objects. */
import { Alert, Container, Header } from '@cloudscape-design/components'
import { call, orNone } from '../api/call'
import { useLoaded } from '../api/use'
import { t } from '../i18n/text'
import { ruleActions, rulesOf } from '../resources/bucket-rules'
import { column, type Column, type Item } from '../resources/kinds'
import { LogText } from './LogText'
import { ActionList } from './SubList'

const KINDS = ['bucket']

/** 'team=web' of each tag, beside the prefix and the sizes. */
function scopeOf({ Prefix, Filter: { And, ...one } = {} as Item }: Item): string {
  const { Prefix: prefix = Prefix, Tag, Tags = [], ObjectSizeGreaterThan: more, ObjectSizeLessThan: less } = { ...one, ...And }
  const tags = [...(Tag ? [Tag] : []), ...Tags].map(({ Key, Value }) => `${Key}=${Value}`)
  return [prefix, ...tags, more === undefined ? '' : `> ${more} B`, less === undefined ? '' : `< ${less} B`].filter(Boolean).join(', ')
}
const columns: Column[] = [
  column('ID', 'f.Name'),
  column('Status', 'f.state', { kind: 'word' }),
  { id: 'scope', label: 'buckets.scope', value: scopeOf },
  { id: 'expiration', label: 'buckets.expiration', value: ({ Expiration: is }) => is?.Days ?? is?.Date },
  column('NoncurrentVersionExpiration.NoncurrentDays', 'buckets.oldVersions'),
  column('AbortIncompleteMultipartUpload.DaysAfterInitiation', 'buckets.oldUploads'),
]

export function BucketRules({ name }: { name: string }) {
  const list = useLoaded(() => rulesOf(name), KINDS, `rules of ${name}`)
  const actions = ruleActions(name, list.data ?? [])
  return <ActionList service="s3" title="buckets.rules" list={list} columns={columns} actions={actions} empty="buckets.noRules" />
}

export function BucketCors({ name }: { name: string }) {
  const load = () => orNone('NoSuchCORSConfiguration', call('s3', 'GetBucketCors', { Bucket: name }))
  const { data, error } = useLoaded<Item>(load, KINDS, `cors of ${name}`)
  if (error) return <Alert type="error">{error}</Alert>
  const text = data?.CORSRules ? JSON.stringify(data.CORSRules, null, 2) : t('buckets.noCors')
  return (
    <Container header={<Header variant="h2">{t('buckets.cors')}</Header>}>
      <LogText label={t('buckets.cors')} text={text} />
    </Container>
  )
}
