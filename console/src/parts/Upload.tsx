/** Files on their way into a bucket: chosen, looked at, put. */
import { Alert, FileUpload, FormField, SpaceBetween } from '@cloudscape-design/components'
import { useState } from 'react'
import { call, wordsOf } from '../api/call'
import type { Preview } from '../api/preview'
import { formatBytes, t } from '../i18n/text'
import { flash } from '../shell/flash'
import { Code } from './Code'
import { Dialog } from './Dialog'

type Props = { bucket: string; prefix: string; onClose(): void; onPut(): void }

/** As it is shown: the file itself stands for its bytes, which are read when they are sent. */
const putting = (bucket: string, prefix: string, file: File): Preview => ({
  service: 's3',
  operation: 'PutObject',
  input: { Bucket: bucket, Key: `${prefix}${file.name}`, Body: file, ContentType: file.type || undefined },
})

export function Upload({ bucket, prefix, onClose, onPut }: Props) {
  const [files, setFiles] = useState<File[]>([])
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  async function put(): Promise<void> {
    setBusy(true)
    setError(undefined)
    try {
      for (const file of files) {
        const { service, operation, input } = putting(bucket, prefix, file)
        await call(service, operation, { ...input, Body: new Uint8Array(await file.arrayBuffer()) })
        flash({ type: 'success', content: t('buckets.uploaded', { name: file.name }) })
        // What is there already is not put again when the rest is tried once more.
        setFiles(before => before.filter(one => one !== file))
      }
      onClose()
    } catch (cause) {
      setError(wordsOf(cause))
    } finally {
      setBusy(false)
      onPut()
    }
  }
  return (
    <Dialog
      large
      title={t('buckets.upload')}
      submit={t('buckets.upload')}
      busy={busy}
      disabled={files.length === 0}
      onSubmit={() => void put()}
      onClose={onClose}
    >
      <SpaceBetween size="l">
        {error && (
          <Alert type="error" header={t('error.title')}>
            {error}
          </Alert>
        )}
        <FormField label={t('buckets.files')} description={`s3://${bucket}/${prefix}`}>
          <FileUpload
            multiple
            value={files}
            showFileSize
            onChange={({ detail }) => setFiles(detail.value)}
            i18nStrings={{
              uploadButtonText: () => t('buckets.chooseFiles'),
              dropzoneText: () => t('buckets.dropFiles'),
              formatFileSize: formatBytes,
              removeFileAriaLabel: i => t('buckets.leaveOut', { name: files[i]?.name ?? '' }),
              limitShowFewer: t('buckets.fewer'),
              limitShowMore: t('buckets.more'),
              errorIconAriaLabel: t('error.title'),
            }}
          />
        </FormField>
        <Code calls={files.map(file => putting(bucket, prefix, file))} />
      </SpaceBetween>
    </Dialog>
  )
}
