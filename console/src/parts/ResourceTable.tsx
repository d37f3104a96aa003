/** The table of a listing. */
import { useCollection } from '@cloudscape-design/collection-hooks'
import {
  Alert,
  Box,
  Button,
  CollectionPreferences,
  Header,
  Pagination,
  PropertyFilter,
  type PropertyFilterProps,
  SpaceBetween,
  Table,
  type CollectionPreferencesProps,
} from '@cloudscape-design/components'
import { useMemo, useState } from 'react'
import type { Loaded } from '../api/use'
import { t } from '../i18n/text'
import { nameColumn, type Column, type Item, type Resource } from '../resources/kinds'
import { addressOf, formAddress } from '../shell/addresses'
import { go } from '../shell/router'
import { Actions } from './Actions'
import { Cell, ItemLink, textOf } from './cells'
import type { At } from './ContextMenu'
import { download } from './download'

const SIZES = [20, 50, 100]

function usePreferences(resource: Resource) {
  const key = `enclume-table-${resource.path}`
  const start: CollectionPreferencesProps.Preferences = {
    pageSize: 50,
    wrapLines: false,
    contentDisplay: resource.columns.map(c => ({ id: c.id, visible: !c.hidden })),
  }
  const [preferences, set] = useState<CollectionPreferencesProps.Preferences>(() => ({
    ...start,
    ...(JSON.parse(localStorage.getItem(key) ?? '{}') as object),
  }))
  return [
    preferences,
    (chosen: CollectionPreferencesProps.Preferences) => {
      localStorage.setItem(key, JSON.stringify(chosen))
      set(chosen)
    },
  ] as const
}

const csv = (columns: readonly Column[], items: readonly Item[]): string => {
  // A cell that begins like a formula would be run by spreadsheet programs: stored names are not trusted.
  const cell = (text: string): string => `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  return [columns.map(c => cell(t(c.label))), ...items.map(item => columns.map(c => cell(textOf(c, item))))].map(row => row.join(',')).join('\r\n')
}

const searchable = (columns: readonly Column[], item: Item): Item => ({
  ...Object.fromEntries(columns.map(c => [`_${c.id}`, textOf(c, item)])),
  _tags: (item.Tags ?? []).map((tag: Item) => `${tag.Key}=${tag.Value}`).join(' '),
})

export function ResourceTable({ resource, list }: { resource: Resource; list: Loaded<Item[]> }) {
  const [preferences, setPreferences] = usePreferences(resource)
  const [selected, setSelected] = useState<string[]>([])
  const [menu, setMenu] = useState<At>()
  const { columns } = resource
  const first = columns.find(c => c.id === resource.sorted) ?? columns[0]!
  const rows = useMemo(() => (list.data ?? []).map(item => ({ item, id: resource.id(item), ...searchable(columns, item) })), [list.data])
  const { items, allPageItems, filteredItemsCount, collectionProps, propertyFilterProps, paginationProps, actions } = useCollection<Item>(rows, {
    propertyFiltering: {
      filteringProperties: [
        ...columns.map(c => ({
          key: `_${c.id}`,
          propertyLabel: t(c.label),
          groupValuesLabel: t(c.label),
          operators: [':', '!:', '=', '!='] as const,
        })),
        { key: '_tags', propertyLabel: t('tab.tags'), groupValuesLabel: t('tab.tags'), operators: [':', '!:'] as const },
      ] as never,
      defaultQuery: startOf(resource),
      empty: <Empty resource={resource} />,
      noMatch: (
        <SpaceBetween size="xs" alignItems="center">
          <b>{t('table.noMatch')}</b>
          {t('table.noMatchHint')}
          <Button onClick={() => actions.setPropertyFiltering({ tokens: [], operation: 'and' })}>{t('table.clear')}</Button>
        </SpaceBetween>
      ),
    },
    sorting: {
      defaultState: {
        sortingColumn: { sortingField: `_${first.id}`, sortingComparator: comparatorOf(first) },
        isDescending: resource.sorted !== undefined,
      },
    },
    pagination: { pageSize: preferences.pageSize ?? 50 },
  })
  const chosen = rows.filter(row => selected.includes(row.id))
  const title = resource.heading ?? t(resource.title)
  return (
    <Table<Item>
      {...collectionProps}
      variant="full-page"
      stickyHeader
      resizableColumns
      enableKeyboardNavigation
      trackBy="id"
      items={items}
      loading={list.loading && !list.data}
      loadingText={t('table.loading')}
      selectionType={resource.actions && 'multi'}
      selectedItems={chosen}
      onRowContextMenu={event => {
        if (!resource.actions) return
        event.preventDefault()
        const { detail } = event
        if (!selected.includes(detail.item.id)) setSelected([detail.item.id])
        setMenu({ x: detail.clientX, y: detail.clientY })
      }}
      onSelectionChange={({ detail }) => setSelected(detail.selectedItems.map(row => row.id))}
      wrapLines={preferences.wrapLines}
      columnDisplay={preferences.contentDisplay}
      ariaLabels={{
        tableLabel: title,
        selectionGroupLabel: t('table.selection'),
        allItemsSelectionLabel: () => t('table.selectAll'),
        itemSelectionLabel: (_, row) => t('table.select', { name: row.id }),
      }}
      columnDefinitions={columns.map((c, i) => ({
        id: c.id,
        header: <span className="heading">{t(c.label)}</span>,
        sortingField: `_${c.id}`,
        minWidth: 90,
        width: widthOf(c),
        isRowHeader: i === 0,
        sortingComparator: comparatorOf(c),
        cell: (row: Item) =>
          isLinked(resource, c) && hrefOf(resource, row.item) && textOf(c, row.item) !== '' ? (
            <ItemLink href={hrefOf(resource, row.item)!} text={textOf(c, row.item)} />
          ) : (
            <Cell column={c} item={row.item} />
          ),
      }))}
      header={
        <Header
          variant="awsui-h1-sticky"
          counter={list.data && `(${selected.length > 0 ? `${chosen.length}/` : ''}${list.data.length})`}
          actions={
            <SpaceBetween size="xs" direction="horizontal">
              <Button iconName="refresh" ariaLabel={t('do.refresh')} onClick={list.reload} />
              <Button
                iconName="download"
                ariaLabel={t('do.csv')}
                onClick={() =>
                  download(
                    `${resource.path.split('/').pop()}.csv`,
                    csv(
                      columns,
                      allPageItems.map(row => row.item),
                    ),
                  )
                }
              />
              {resource.actions && (
                <Actions
                  resource={resource}
                  items={chosen.map(row => row.item)}
                  all={list.data}
                  menu={menu}
                  onMenuClose={() => setMenu(undefined)}
                  onDone={list.reload}
                />
              )}
              {resource.extra}
              {resource.create && <CreateButton resource={resource} />}
            </SpaceBetween>
          }
        >
          {title}
        </Header>
      }
      filter={
        <SpaceBetween size="xs">
          {list.error && (
            <Alert type="error" header={t('error.load')} action={<Button onClick={list.reload}>{t('error.retry')}</Button>}>
              {list.error}
            </Alert>
          )}
          {list.lacking && (
            <Alert type="warning" header={t('error.part')} action={<Button onClick={list.reload}>{t('error.retry')}</Button>}>
              {list.lacking}
            </Alert>
          )}
          {resource.above}
          <PropertyFilter
            {...propertyFilterProps}
            expandToViewport
            filteringAriaLabel={t('table.find', { what: title })}
            filteringPlaceholder={t('table.find', { what: title })}
            countText={t('table.matches', { count: filteredItemsCount ?? 0 })}
          />
        </SpaceBetween>
      }
      pagination={
        <Pagination
          {...paginationProps}
          ariaLabels={{ nextPageLabel: t('table.next'), previousPageLabel: t('table.previous'), pageLabel: page => t('table.page', { page }) }}
        />
      }
      preferences={
        <CollectionPreferences
          title={t('table.preferences')}
          confirmLabel={t('do.confirm')}
          cancelLabel={t('do.cancel')}
          preferences={preferences}
          onConfirm={({ detail }) => setPreferences(detail)}
          pageSizePreference={{ title: t('table.pageSize'), options: SIZES.map(value => ({ value, label: t('table.rows', { count: value }) })) }}
          wrapLinesPreference={{ label: t('table.wrap'), description: t('table.wrapHint') }}
          contentDisplayPreference={{
            title: t('table.columns'),
            options: columns.map((c, i) => ({ id: c.id, label: t(c.label), alwaysVisible: i === 0 })),
          }}
        />
      }
    />
  )
}

const startOf = ({ filter }: Resource): PropertyFilterProps.Query => ({
  operation: 'and',
  tokens: filter ? [{ propertyKey: `_${filter.column.id}`, operator: '=', value: t(filter.value) }] : [],
})

/** Enough for what such a column holds; headings break between words. */
const widthOf = (column: Column): number =>
  Math.max(contentWidth(column), HEAD_PX + Math.max(...t(column.label).split(/[\s-]/).map(word => word.length)) * LETTER_PX)
/** A heading's sign of sorting and its edges, and what a letter of it takes. */
const HEAD_PX = 56
const LETTER_PX = 8

/** A cell's edges, and the sign of a state. */
const [EDGE_PX, SIGN_PX] = [40, 22]
/** What stands before an id's seventeen digits. */
const PREFIXES: Record<string, string> = {
  InstanceId: 'i-', VolumeId: 'vol-', SnapshotId: 'snap-', ImageId: 'ami-', GroupId: 'sg-', VpcId: 'vpc-', SubnetId: 'subnet-',
  NetworkInterfaceId: 'eni-', AllocationId: 'eipalloc-', AssociationId: 'eipassoc-', DhcpOptionsId: 'dopt-', RouteTableId: 'rtb-',
  InternetGatewayId: 'igw-', NatGatewayId: 'nat-', NetworkAclId: 'acl-', VpcEndpointId: 'vpce-', KeyPairId: 'key-',
}
const idWidth = (id: string): number | undefined => {
  const prefix: string | undefined = PREFIXES[id.split('.').pop()!]
  return prefix === undefined ? undefined : EDGE_PX + (prefix.length + 17) * LETTER_PX
}

const contentWidth = ({ kind, link, id, width }: Column): number =>
  width ?? idWidth(id) ?? (id === 'Arn' ? 400 : kind === 'state' ? EDGE_PX + SIGN_PX + 88 : kind === 'date' || link || id.endsWith('Id') ? 230 : 150)

/** Names and ids lead to what they name. */
const isLinked = ({ columns }: Resource, column: Column): boolean => column === columns[0] || (columns[0] === nameColumn && column === columns[1])
const hrefOf = (resource: Resource, item: Item): string | undefined =>
  resource.href ? resource.href(item) : addressOf(resource.path, resource.id(item))

/** Made once: making one for each comparison is what takes long. */
const ORDER = new Intl.Collator(undefined, { numeric: true })

const comparatorOf =
  (column: Column) =>
  (a: Item, b: Item): number =>
    compare(column.value(a.item), column.value(b.item))

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime()
  return ORDER.compare(String(a ?? ''), String(b ?? ''))
}

export function CreateButton({ resource }: { resource: Resource }) {
  const { create } = resource
  if (!create) return null
  return (
    <Button variant="primary" onClick={() => go(create.href ?? formAddress(resource.path))}>
      {t(create.label)}
    </Button>
  )
}

function Empty({ resource }: { resource: Resource }) {
  return (
    <Box textAlign="center" padding="l">
      <SpaceBetween size="m" alignItems="center">
        <b>{t(resource.empty[0])}</b>
        <Box variant="p" color="inherit">
          {t(resource.empty[1])}
        </Box>
        <CreateButton resource={resource} />
      </SpaceBetween>
    </Box>
  )
}
