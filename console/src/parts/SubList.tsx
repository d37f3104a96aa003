/** A table inside a page: what belongs to the thing that the page shows, with the way to take some away. */
import { Alert, Box, Header, SpaceBetween, Table } from '@cloudscape-design/components'
import { useState, type ReactNode } from 'react'
import { listAll, type Input, type Service } from '../api/call'
import { useLoaded, type Loaded } from '../api/use'
import { t, type Key } from '../i18n/text'
import type { Action, Column, Item } from '../resources/kinds'
import { Actions } from './Actions'
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
  /** What may be done with those that are chosen. */
  actions?: readonly Action[]
  /** What takes some away, asked before it is done. */
  remove?: Action
  empty?: Key
  /** Which of the list belong here, where the call can't be asked so. */
  keep?(item: Item): boolean
  /** What else is to be said of each, which the listing does not tell. */
  also?(item: Item): Promise<Item>
  /** Beside the button that takes some away. */
  more?: ReactNode
}
const itself = (item: Item): Item => item

export function SubList(props: SubListProps) {
  const { service, title, operation, member, input, columns, kinds = [], actions = [], remove, empty, keep = () => true, also = itself, more } = props
  const load = async (): Promise<Item[]> => {
    const found = await listAll(service, operation, member, input)
    return Promise.all(found.map((item: Item | string) => (typeof item === 'string' ? { name: item } : item)).filter(keep).map(also))
  }
  const list = useLoaded<Item[]>(load, kinds, JSON.stringify([service, operation, member, input]))
  return <ActionList {...{ service, title, columns, list, empty, more }} actions={remove ? [...actions, remove] : actions} />
}

type ActionListProps = Pick<SubListProps, 'service' | 'title' | 'columns' | 'actions' | 'empty' | 'more'> & { list: Loaded<Item[]> }

/** Things that are loaded, with what may be done with those that are chosen. */
export function ActionList({ service, title, columns, list, actions = [], empty, more }: ActionListProps) {
  const [ids, setIds] = useState<readonly string[]>([])
  if (list.error) return <Alert type="error">{list.error}</Alert>
  const idOf = (item: Item): string => String(columns[0]!.value(item))
  const items = list.data ?? []
  // What changed meanwhile is chosen as it is now; what went is not.
  const chosen = items.filter(item => ids.includes(idOf(item)))
  const all = actions.map(action => ({ ...action, place: 'button' as const }))
  const done = (): void => {
    setIds([])
    list.reload()
  }
  return (
    <List
      title={title}
      columns={columns}
      items={items}
      loading={list.loading && !list.data}
      empty={empty}
      selection={all.length > 0 ? { chosen, choose: now => setIds(now.map(idOf)) } : undefined}
      actions={
        all.length > 0 && (
          <SpaceBetween size="xs" direction="horizontal">
            <Actions resource={{ service, id: idOf, actions: all }} items={chosen} onDone={done} />
            {more}
          </SpaceBetween>
        )
      }
    />
  )
}
