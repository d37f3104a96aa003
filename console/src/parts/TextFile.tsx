/** A text that is typed, pasted, or read out of a file of the reader's. */
import { FileInput, SpaceBetween, Textarea } from '@cloudscape-design/components'
import { t } from '../i18n/text'

export function TextFile({ value, onChange }: { value: string; onChange(value: string): void }) {
  const read = async (file: File | undefined): Promise<void> => {
    if (file) onChange(await file.text())
  }
  return (
    <SpaceBetween size="xs">
      <FileInput value={[]} onChange={({ detail }) => void read(detail.value[0])}>
        {t('do.browse')}
      </FileInput>
      <Textarea value={value} rows={6} onChange={({ detail }) => onChange(detail.value)} />
    </SpaceBetween>
  )
}
