/** A table inside a page: what belongs to the thing that the page shows, with the way to take some away. */
import { Alert, Box, Button, Header, SpaceBetween, Table } from '@cloudscape-design/components'
import { useState, type ReactNode } from 'react'
import { send, wordsOf, type Input, type Service } from '../api/call'
import { useList } from '../api/use'
import { t, type Key } from '../i18n/text'
import type { Action, Column, Item } from '../resources/kinds'
import { flash } from '../shell/flash'
import { callsOf, Question } from './Actions'
import { Cell } from './cells'

type Selection = { chosen: Item[]; choose(items: Item[]): void }
type ListProps = {
  title: Key
  columns: readonly Column[]
  items: Item[]
  actions?: ReactNode
  loading?: boolean
  empty?: Key
  selection?: Selection
}

export function List({ title, columns, items, actions, loading, empty = 'table.nothing', selection }: ListProps) {
  return (
    <Table
      variant="container"
      items={items}
      trackBy={item => String(columns[0]!.value(item))}
      loading={loading}
      loadingText={t('table.loading')}
      selectionType={selection && 'multi'}
      selectedItems={selection?.chosen}
      onSelectionChange={({ detail }) => selection?.choose(detail.selectedItems)}
      ariaLabels={{
        tableLabel: t(title),
        selectionGroupLabel: t('table.selection'),
        allItemsSelectionLabel: () => t('table.selectAll'),
        itemSelectionLabel: (_, item) => t('table.select', { name: String(columns[0]!.value(item)) }),
      }}
      header={
        <Header variant="h2" counter={`(${items.length})`} actions={actions}>
          {t(title)}
        </Header>
      }
      empty={<Box>{t(empty)}</Box>}
      columnDefinitions={columns.map((c, i) => ({
        id: c.id,
        header: t(c.label),
        isRowHeader: i === 0,
        cell: (item: Item) => <Cell column={c} item={item} />,
      }))}
    />
  )
}

export type SubListProps = {
  service: Service
  title: Key
  operation: string
  member: string
  input: Input
  columns: readonly Column[]
  kinds?: readonly string[]
  /** What takes some away, asked before it is done. */
  remove?: Action
  empty?: Key
  /** Which of the list belong here, where the call can't be asked so. */
  keep?(item: Item): boolean
  /** Beside the button that takes some away. */
  more?: ReactNode
}

export function SubList({ service, title, operation, member, input, columns, kinds, remove, empty, keep = () => true, more }: SubListProps) {
  const list = useList(service, operation, member, { input, kinds })
  const [chosen, setChosen] = useState<Item[]>([])
  const [asking, setAsking] = useState(false)
  if (list.error) return <Alert type="error">{list.error}</Alert>
  const items = (list.data ?? []).map((item: Item | string) => (typeof item === 'string' ? { name: item } : item)).filter(keep)
  const take = async (): Promise<void> => {
    setAsking(false)
    try {
      for (const one of callsOf(service, remove!, chosen)) await send(one)
    } catch (error) {
      flash({ type: 'error', header: t('error.title'), content: wordsOf(error) })
    }
    setChosen([])
    list.reload()
  }
  const ids = chosen.map(item => String(columns[0]!.value(item))).join(', ')
  return (
    <>
      <List
        title={title}
        columns={columns}
        items={items}
        loading={list.loading && !list.data}
        empty={empty}
        selection={remove && { chosen, choose: setChosen }}
        actions={
          remove && (
            <SpaceBetween size="xs" direction="horizontal">
              <Button disabled={chosen.length === 0} onClick={() => setAsking(true)}>
                {t(remove.label)}
              </Button>
              {more}
            </SpaceBetween>
          )
        }
      />
      {asking && remove && (
        <Question service={service} action={remove} items={chosen} ids={ids} onNo={() => setAsking(false)} onYes={() => void take()} />
      )}
    </>
  )
}
