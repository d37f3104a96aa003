/** S3's buckets, and the objects in one, folder by folder. */
import { call, currentRegion } from '../api/call'
import { addressOf } from '../shell/addresses'
import { BucketCors, BucketRules } from '../parts/BucketTabs'
import { bucketSettings } from './bucket-settings'
import { column, type Item, type Resource } from './kinds'
import { bucketTags } from './tagging'

/** A bucket of another Region than the oldest says where it is to be: what SDKs add by themselves, the CLI leaves to its caller. */
const placeOf = (region: string): object | undefined => (region === 'us-east-1' ? undefined : { LocationConstraint: region })

export const resources: Resource[] = [
  {
    path: '/s3/buckets',
    service: 's3',
    title: 'menu.s3',
    empty: ['buckets.empty', 'buckets.emptyHint'],
    operation: 'ListBuckets',
    member: 'Buckets',
    id: item => item.Name,
    kinds: ['bucket'],
    columns: [column('Name', 'f.Name', { width: 360 }), column('CreationDate', 'f.created', { kind: 'date' })],
    create: {
      label: 'buckets.create',
      form: {
        operation: 'CreateBucket',
        id: answer => String(answer.Location ?? '').replace(/^\//, ''),
        fields: [{ name: 'name', label: 'buckets.name', hint: 'buckets.nameHint' }],
        input: values => ({ Bucket: values.name, CreateBucketConfiguration: placeOf(currentRegion()) }),
      },
    },
    actions: [
      { id: 'objects', label: 'buckets.objects', place: 'button', href: item => folderPath(item.Name, '') },
      ...bucketSettings,
      { id: 'delete', label: 'buckets.deleteBucket', operation: 'DeleteBucket', each: item => ({ Bucket: item.Name }), confirm: 'typed' },
    ],
    tabs: [
      { id: 'lifecycle', label: 'buckets.rules', content: item => <BucketRules name={item.Name} /> },
      { id: 'cors', label: 'buckets.cors', content: item => <BucketCors name={item.Name} /> },
    ],
    tagging: bucketTags,
  },
]

/** What a bucket has beside its objects. */
export const propertiesPath = (bucket: string): string => `${addressOf('/s3/buckets', bucket)}?tab=details`
export const folderPath = (bucket: string, folder: string): string =>
  `${addressOf('/s3/buckets', bucket)}${folder ? `?prefix=${encodeURIComponent(folder)}` : ''}`

async function load(bucket: string, prefix: string): Promise<Item[]> {
  const found: Item[] = []
  let token: string | undefined
  do {
    const answer = await call('s3', 'ListObjectsV2', { Bucket: bucket, Prefix: prefix, Delimiter: '/', ContinuationToken: token })
    found.push(
      ...(answer.CommonPrefixes ?? []).map((p: Item) => ({ Key: p.Prefix, folder: true })),
      ...(answer.Contents ?? []).filter((o: Item) => o.Key !== prefix),
    )
    token = answer.IsTruncated ? (answer.NextContinuationToken as string) : undefined
  } while (token)
  return found
}

async function save(bucket: string, item: Item): Promise<void> {
  const { Body } = await call('s3', 'GetObject', { Bucket: bucket, Key: item.Key })
  const url = URL.createObjectURL(new Blob([await Body.transformToByteArray()], { type: 'application/octet-stream' }))
  Object.assign(document.createElement('a'), { href: url, download: String(item.Key).split('/').pop() }).click()
  URL.revokeObjectURL(url)
}

const isObject = (item: Item): boolean => item.folder !== true

export const objectsOf = (bucket: string, prefix: string): Resource => ({
  path: '/s3/objects',
  service: 's3',
  title: 'buckets.objects',
  heading: prefix === '' ? bucket : `${bucket}/${prefix}`,
  empty: ['buckets.noObjects', 'buckets.noObjectsHint'],
  operation: 'ListObjectsV2',
  member: 'Contents',
  load: () => load(bucket, prefix),
  id: item => item.Key,
  href: item => (isObject(item) ? undefined : folderPath(bucket, item.Key)),
  kinds: ['object', 'bucket'],
  columns: [
    { id: 'key', label: 'f.Name', width: 420, value: item => String(item.Key).slice(prefix.length) },
    column('Size', 'f.size', { kind: 'bytes' }),
    column('LastModified', 'f.modified', { kind: 'date' }),
    column('ETag', 'f.etag', { hidden: true }),
  ],
  actions: [
    { id: 'save', label: 'buckets.download', place: 'button', one: true, enabled: isObject, run: items => save(bucket, items[0]) },
    {
      id: 'delete',
      label: 'buckets.deleteObjects',
      operation: 'DeleteObject',
      each: item => ({ Bucket: bucket, Key: item.Key }),
      enabled: isObject,
      confirm: 'typed',
    },
  ],
})
