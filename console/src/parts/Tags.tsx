/** The tags of a thing, shown and edited. */
import { Alert, Box, Button, Container, Header, SpaceBetween, Table, TagEditor, type TagEditorProps } from '@cloudscape-design/components'
import { useState } from 'react'
import { send, wordsOf } from '../api/call'
import type { Preview } from '../api/preview'
import { t } from '../i18n/text'
import { flash } from '../shell/flash'
import { Code } from './Code'

type Tag = { Key: string; Value: string }

function callsFor(id: string, edited: TagEditorProps.Tag[]): Preview[] {
  const gone = edited.filter(tag => tag.existing && tag.markedForRemoval).map(tag => ({ Key: tag.key }))
  const set = edited.filter(tag => !tag.markedForRemoval).map(tag => ({ Key: tag.key, Value: tag.value }))
  const call = (operation: string, Tags: object[]): Preview[] =>
    Tags.length > 0 ? [{ service: 'ec2', operation, input: { Resources: [id], Tags } }] : []
  return [...call('DeleteTags', gone), ...call('CreateTags', set)]
}

export function Tags({ id, tags, editable }: { id: string; tags: Tag[]; editable: boolean }) {
  const [edited, setEdited] = useState<TagEditorProps.Tag[]>()
  const [error, setError] = useState<string>()
  async function save(): Promise<void> {
    try {
      for (const one of callsFor(id, edited!)) await send(one)
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
          <Code calls={callsFor(id, edited)} />
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
