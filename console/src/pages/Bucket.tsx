/** The objects of a bucket, with the way to put files in. */
import { Button, SpaceBetween } from '@cloudscape-design/components'
import { useMemo, useState } from 'react'
import { useLoaded } from '../api/use'
import { t } from '../i18n/text'
import { ItemLink } from '../parts/cells'
import { ResourceTable } from '../parts/ResourceTable'
import { Upload } from '../parts/Upload'
import { folderPath, objectsOf, propertiesPath } from '../resources/buckets'
import type { Item } from '../resources/kinds'
import { follow } from '../shell/router'

export default function Bucket({ bucket, prefix }: { bucket: string; prefix: string }) {
  const resource = useMemo(() => objectsOf(bucket, prefix), [bucket, prefix])
  const list = useLoaded<Item[]>(resource.load, resource.kinds, `${bucket}/${prefix}`)
  const [uploading, setUploading] = useState(false)
  const parent = prefix
    .split('/')
    .slice(0, -2)
    .map(part => `${part}/`)
    .join('')
  const extra = (
    <SpaceBetween size="xs" direction="horizontal">
      <Button href={propertiesPath(bucket)} onFollow={follow}>
        {t('buckets.properties')}
      </Button>
      <Button onClick={() => setUploading(true)}>{t('buckets.upload')}</Button>
    </SpaceBetween>
  )
  const above = prefix !== '' && <ItemLink href={folderPath(bucket, parent)} text={t('buckets.up')} />
  return (
    <>
      <ResourceTable key={`${bucket}/${prefix}`} resource={{ ...resource, extra, above }} list={list} />
      {uploading && <Upload bucket={bucket} prefix={prefix} onClose={() => setUploading(false)} onPut={list.reload} />}
    </>
  )
}
