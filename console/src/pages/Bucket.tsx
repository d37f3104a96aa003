/** The objects of a bucket, with the way to put files in. */
import { FileInput } from '@cloudscape-design/components'
import { useMemo } from 'react'
import { call, wordsOf } from '../api/call'
import { useLoaded } from '../api/use'
import { t } from '../i18n/text'
import { ItemLink } from '../parts/cells'
import { ResourceTable } from '../parts/ResourceTable'
import { folderPath, objectsOf } from '../resources/buckets'
import type { Item } from '../resources/kinds'
import { flash } from '../shell/flash'

export default function Bucket({ bucket, prefix }: { bucket: string; prefix: string }) {
  const resource = useMemo(() => objectsOf(bucket, prefix), [bucket, prefix])
  const list = useLoaded<Item[]>(resource.load, resource.kinds, `${bucket}/${prefix}`)
  async function upload(files: File[]): Promise<void> {
    try {
      for (const file of files) {
        const Body = new Uint8Array(await file.arrayBuffer())
        await call('s3', 'PutObject', { Bucket: bucket, Key: `${prefix}${file.name}`, Body, ContentType: file.type || undefined })
        flash({ type: 'success', content: t('buckets.uploaded', { name: file.name }) })
      }
    } catch (error) {
      flash({ type: 'error', header: t('error.title'), content: wordsOf(error) })
    }
    list.reload()
  }
  const parent = prefix
    .split('/')
    .slice(0, -2)
    .map(part => `${part}/`)
    .join('')
  const extra = (
    <FileInput multiple value={[]} onChange={({ detail }) => void upload(detail.value)}>
      {t('buckets.upload')}
    </FileInput>
  )
  const above = prefix !== '' && <ItemLink href={folderPath(bucket, parent)} text={t('buckets.up')} />
  return <ResourceTable key={`${bucket}/${prefix}`} resource={{ ...resource, extra, above }} list={list} />
}
