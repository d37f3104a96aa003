/** The tags of a thing, shown and edited. */
import { Alert, Box, Button, Container, Header, SpaceBetween, Spinner, Table, TagEditor, type TagEditorProps } from '@cloudscape-design/components'
import { useState } from 'react'
import { send, wordsOf } from '../api/call'
import type { Preview } from '../api/preview'
import { useLoaded } from '../api/use'
import { t } from '../i18n/text'
import type { Item, Resource, Tag, TagEdits, Tagging } from '../resources/kinds'
import { flash } from '../shell/flash'
import { Code } from './Code'

type Props = {
  tags: readonly Tag[]
  editable: boolean
  /** The calls that make them so. */
  calls(edits: TagEdits): Preview[]
  onSaved?(): void
}

function editsOf(before: readonly Tag[], edited: readonly TagEditorProps.Tag[]): TagEdits {
  const all = edited.filter(tag => !tag.markedForRemoval).map(tag => ({ Key: tag.key, Value: tag.value }))
  const gone = edited.filter(tag => tag.existing && tag.markedForRemoval).map(tag => tag.key)
  return { gone, all, set: all.filter(({ Key, Value }) => !before.some(tag => tag.Key === Key && tag.Value === Value)) }
}

/** Those of EC2's things, which the listing tells. */
export function Ec2Tags({ id, tags }: { id: string; tags: readonly Tag[] }) {
  const call = (operation: string, Tags: object[]): Preview[] =>
    Tags.length > 0 ? [{ service: 'ec2', operation, input: { Resources: [id], Tags } }] : []
  const calls = ({ gone, set }: TagEdits): Preview[] => [...call('DeleteTags', gone.map(Key => ({ Key }))), ...call('CreateTags', set)]
  return <Tags tags={tags} calls={calls} editable />
}

/** Those that are asked for by themselves. */
export function AskedTags({ id, resource, tagging, item }: { id: string; resource: Resource; tagging: Tagging; item: Item }) {
  const list = useLoaded(() => tagging.load(item), resource.kinds, `tags ${resource.path} ${id}`)
  if (list.error) return <Alert type="error">{list.error}</Alert>
  if (!list.data) return <Spinner size="large" />
  const calls = (edits: TagEdits): Preview[] => tagging.calls(item, edits).map(one => ({ service: resource.service, ...one }))
  return <Tags tags={list.data} calls={calls} editable={tagging.editable?.(item) ?? true} onSaved={list.reload} />
}

function Tags({ tags, editable, calls, onSaved = () => {} }: Props) {
  const [edited, setEdited] = useState<TagEditorProps.Tag[]>()
  const [error, setError] = useState<string>()
  const shown = edited ? calls(editsOf(tags, edited)) : []
  async function save(): Promise<void> {
    try {
      for (const one of shown) await send(one)
      setEdited(undefined)
      flash({ type: 'success', content: t('tags.saved') })
      onSaved()
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
          <Code calls={shown} />
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
