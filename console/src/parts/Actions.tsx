/** The actions on selected things: which are possible, the question before them, and what became of them. */
import { Alert, Box, Button, ButtonDropdown, FormField, Input, SpaceBetween } from '@cloudscape-design/components'
import { useState } from 'react'
import { send, wordsOf, type Service } from '../api/call'
import type { Preview } from '../api/preview'
import { t, type Key } from '../i18n/text'
import type { Action, Item, Resource } from '../resources/kinds'
import { flash } from '../shell/flash'
import { go } from '../shell/router'
import { Code } from './Code'
import { ContextMenu, type At } from './ContextMenu'
import { Dialog } from './Dialog'
import { FormDialog } from './FormPage'

/** `all`: what is listed, once it is there. */
export const isPossible = (action: Action, items: Item[], all?: readonly Item[]): boolean =>
  (!action.where || (all !== undefined && action.where(all))) &&
  items.length >= (action.least ?? 1) &&
  (items.length <= 1 || !(action.one || action.form || action.href)) &&
  items.every(item => action.enabled?.(item) ?? true)

/** The calls that an action is: what the question before it shows, and what is sent. */
export function callsOf(service: Service, action: Action, items: Item[]): Preview[] {
  if (action.calls) return action.calls(items).map(one => ({ service, ...one }))
  const inputs = action.all ? [action.all(items)] : items.map(item => action.each!(item))
  return inputs.map(input => ({ service, operation: action.operation!, input }))
}

/** Of a listing, or of a table inside a page. */
type Acting = Pick<Resource, 'service' | 'id' | 'actions'>
type Props = { resource: Acting; items: Item[]; all?: readonly Item[]; menu?: At; onMenuClose?(): void; onDone?(): void }

export function Actions({ resource, items, all: listed, menu, onMenuClose = () => {}, onDone = () => {} }: Props) {
  const [asked, setAsked] = useState<Action>()
  const ids = items.map(resource.id).join(', ')

  async function run(action: Action): Promise<void> {
    setAsked(undefined)
    const message = { id: `${action.id} ${ids}`, content: t('done.requested', { action: t(action.label), id: ids }) }
    let [done, all] = [0, 0]
    const sofar = () => ({ action: t(action.label), done: String(done), all: String(all) })
    flash({ ...message, type: 'info', loading: true })
    try {
      if (action.run) await action.run(items)
      else {
        const calls = callsOf(resource.service, action, items)
        all = calls.length
        for (const one of calls) {
          if (all > 1) flash({ ...message, type: 'info', loading: true, content: t('done.underWay', sofar()) })
          await send(one)
          done++
        }
      }
      flash({ ...message, type: 'success' })
      onDone()
    } catch (error) {
      const before = done > 0 ? ` ${t('done.before', sofar())}` : ''
      flash({ ...message, type: 'error', header: `${t('error.title')}: ${t(action.label)}`, content: `${wordsOf(error)}${before}` })
    }
  }
  const choose = (action: Action): void => {
    if (action.href) go(action.href(items[0]))
    else if (action.form || action.dialog || action.confirm) setAsked(action)
    else void run(action)
  }
  const all = resource.actions ?? []
  const menuOf = (place: Action['place'], label: Key) => {
    const actions = all.filter(action => action.place === place)
    return (
      actions.length > 0 && (
        <ButtonDropdown
          items={actions.map(action => ({ id: action.id, text: t(action.label), disabled: !isPossible(action, items, listed) }))}
          disabled={!actions.some(action => isPossible(action, items, listed))}
          expandToViewport
          onItemClick={({ detail }) => choose(all.find(a => a.id === detail.id)!)}
        >
          {t(label)}
        </ButtonDropdown>
      )
    )
  }
  return (
    <>
      <SpaceBetween size="xs" direction="horizontal">
        {all
          .filter(action => action.place === 'button')
          .map(action => (
            <Button key={action.id} disabled={!isPossible(action, items, listed)} onClick={() => choose(action)}>
              {t(action.label)}
            </Button>
          ))}
        {menuOf('state', 'f.instanceState')}
        {menuOf(undefined, 'do.actions')}
      </SpaceBetween>
      {menu && items.length > 0 && (
        <ContextMenu
          at={menu}
          actions={all.map(action => ({ action, possible: isPossible(action, items, listed) }))}
          onChoose={choose}
          onClose={onMenuClose}
        />
      )}
      {asked?.form && (
        <FormDialog
          service={resource.service}
          form={asked.form}
          title={asked.label}
          item={items[0]}
          id={ids}
          onDone={() => {
            onDone()
            setAsked(undefined)
          }}
          onClose={() => setAsked(undefined)}
        />
      )}
      {asked?.dialog?.(items, () => setAsked(undefined))}
      {asked?.confirm && (
        <Question service={resource.service} action={asked} items={items} ids={ids} onNo={() => setAsked(undefined)} onYes={() => void run(asked)} />
      )}
    </>
  )
}

type QuestionProps = { service: Service; action: Action; items: Item[]; ids: string; onYes(): void; onNo(): void }

export function Question({ service, action, items, ids, onYes, onNo }: QuestionProps) {
  const [typed, setTyped] = useState('')
  const word = t('confirm.word')
  const ready = action.confirm === 'plain' || typed === word
  return (
    <Dialog title={t('confirm.title', { what: t(action.label) })} submit={t(action.label)} disabled={!ready} onSubmit={onYes} onClose={onNo}>
      <SpaceBetween size="m">
        <Box>{t('confirm.items', { items: ids })}</Box>
        {action.confirm === 'typed' && <Alert type="warning">{t('confirm.data')}</Alert>}
        {action.confirm === 'typed' && (
          <FormField label={t('confirm.typed', { word })}>
            <Input value={typed} onChange={({ detail }) => setTyped(detail.value)} placeholder={word} />
          </FormField>
        )}
        <Code calls={callsOf(service, action, items)} />
      </SpaceBetween>
    </Dialog>
  )
}
