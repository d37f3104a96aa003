/** The tags of a thing, shown and edited. */
import { Alert, Box, Button, Container, Header, SpaceBetween, Table, TagEditor, type TagEditorProps } from '@cloudscape-design/components'
import { useState } from 'react'
import { call, wordsOf } from '../api/call'
import { t } from '../i18n/text'
import { flash } from '../shell/flash'

type Tag = { Key: string; Value: string }

export function Tags({ id, tags, editable }: { id: string; tags: Tag[]; editable: boolean }) {
  const [edited, setEdited] = useState<TagEditorProps.Tag[]>()
  const [error, setError] = useState<string>()
  async function save(): Promise<void> {
    const gone = edited!.filter(tag => tag.existing && tag.markedForRemoval).map(tag => ({ Key: tag.key }))
    const set = edited!.filter(tag => !tag.markedForRemoval).map(tag => ({ Key: tag.key, Value: tag.value }))
    try {
      if (gone.length > 0) await call('ec2', 'DeleteTags', { Resources: [id], Tags: gone })
      if (set.length > 0) await call('ec2', 'CreateTags', { Resources: [id], Tags: set })
      setEdited(undefined)
      flash({ type: 'success', content: t('tags.saved') })
    } catch (cause) {
      setError(wordsOf(cause))
    }
  }
  const start = (): void => {
    setError(undefined)
    setEdited(tags.map(tag => ({ key: tag.Key, value: tag.Value, existing: true })))
  }
  return (
    <Container
      header={
        <Header variant="h2" counter={`(${tags.length})`} actions={!edited && editable && <Button onClick={start}>{t('tags.manage')}</Button>}>
          {t('tab.tags')}
        </Header>
      }
    >
      {edited ? (
        <SpaceBetween size="m">
          {error && (
            <Alert type="error" header={t('error.title')}>
              {error}
            </Alert>
          )}
          <TagEditor tags={edited} tagLimit={50} onChange={({ detail }) => setEdited([...detail.tags])} />
          <SpaceBetween size="xs" direction="horizontal">
            <Button onClick={() => setEdited(undefined)}>{t('do.cancel')}</Button>
            <Button variant="primary" onClick={() => void save()}>
              {t('do.save')}
            </Button>
          </SpaceBetween>
        </SpaceBetween>
      ) : (
        <Table
          variant="embedded"
          items={tags}
          ariaLabels={{ tableLabel: t('tab.tags') }}
          empty={<Box>{t('tags.none')}</Box>}
          columnDefinitions={[
            { id: 'key', header: t('tags.key'), cell: tag => tag.Key, isRowHeader: true },
            { id: 'value', header: t('tags.value'), cell: tag => tag.Value },
          ]}
        />
      )}
    </Container>
  )
}
