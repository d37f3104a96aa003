/** Instance types, and some of them side by side. */
import { useCollection } from '@cloudscape-design/collection-hooks'
import { Box, Button, Header, Modal, Pagination, Table, TextFilter } from '@cloudscape-design/components'
import { useState } from 'react'
import { useList } from '../api/use'
import { t } from '../i18n/text'
import { Cell, textOf } from '../parts/cells'
import { column, type Column, type Item } from '../resources/kinds'

const columns: Column[] = [
  column('InstanceType', 'f.InstanceType'),
  column('VCpuInfo.DefaultVCpus', 'f.vcpus'),
  { id: 'memory', label: 'f.memory', value: i => i.MemoryInfo.SizeInMiB / 1024 },
  { id: 'architecture', label: 'f.architecture', value: i => i.ProcessorInfo.SupportedArchitectures.join(', ') },
  column('NetworkInfo.NetworkPerformance', 'f.network'),
  { id: 'storage', label: 'f.storage', value: i => (i.InstanceStorageInfo ? `${i.InstanceStorageInfo.TotalSizeInGB} GB` : undefined) },
  column('CurrentGeneration', 'f.currentGeneration'),
  column('BurstablePerformanceSupported', 'f.burstable'),
  column('FreeTierEligible', 'f.freeTier'),
  column('Hypervisor', 'f.hypervisor'),
]

export default function Types() {
  const list = useList('ec2', 'DescribeInstanceTypes', 'InstanceTypes')
  const [comparing, setComparing] = useState(false)
  const { items, collectionProps, filterProps, paginationProps } = useCollection<Item>(list.data ?? [], {
    filtering: { filteringFunction: (item, text) => columns.some(c => textOf(c, item).toLowerCase().includes(text.toLowerCase())) },
    sorting: { defaultState: { sortingColumn: { sortingField: 'InstanceType' } } },
    pagination: { pageSize: 50 },
    selection: { keepSelection: true, trackBy: 'InstanceType' },
  })
  const chosen = [...(collectionProps.selectedItems ?? [])]
  return (
    <>
      <Table
        {...collectionProps}
        variant="full-page"
        stickyHeader
        items={items}
        loading={list.loading && !list.data}
        loadingText={t('table.loading')}
        selectionType="multi"
        trackBy="InstanceType"
        ariaLabels={{
          tableLabel: t('menu.instanceTypes'),
          selectionGroupLabel: t('table.selection'),
          allItemsSelectionLabel: () => t('table.selectAll'),
          itemSelectionLabel: (_, i) => t('table.select', { name: i.InstanceType }),
        }}
        header={
          <Header
            variant="awsui-h1-sticky"
            counter={`(${list.data?.length ?? 0})`}
            actions={
              <Button disabled={chosen.length < 2} onClick={() => setComparing(true)}>
                {t('types.compare', { count: chosen.length })}
              </Button>
            }
          >
            {t('menu.instanceTypes')}
          </Header>
        }
        filter={
          <TextFilter
            {...filterProps}
            filteringAriaLabel={t('table.find', { what: t('menu.instanceTypes') })}
            filteringPlaceholder={t('table.find', { what: t('menu.instanceTypes') })}
          />
        }
        pagination={
          <Pagination
            {...paginationProps}
            ariaLabels={{ nextPageLabel: t('table.next'), previousPageLabel: t('table.previous'), pageLabel: page => t('table.page', { page }) }}
          />
        }
        columnDefinitions={columns.map((c, i) => ({
          id: c.id,
          header: t(c.label),
          sortingField: c.id,
          isRowHeader: i === 0,
          cell: (item: Item) => <Cell column={c} item={item} />,
          sortingComparator: (a: Item, b: Item) => {
            const [x, y] = [c.value(a), c.value(b)]
            return typeof x === 'number' && typeof y === 'number'
              ? x - y
              : String(x ?? '').localeCompare(String(y ?? ''), undefined, { numeric: true })
          },
        }))}
      />
      <Modal visible={comparing} size="max" header={t('types.compareTitle')} closeAriaLabel={t('do.close')} onDismiss={() => setComparing(false)}>
        <Table
          items={columns.slice(1)}
          variant="embedded"
          ariaLabels={{ tableLabel: t('types.compareTitle') }}
          columnDefinitions={[
            { id: 'label', header: '', isRowHeader: true, cell: c => <b>{t(c.label)}</b> },
            ...chosen.map(item => ({
              id: item.InstanceType as string,
              header: item.InstanceType as string,
              cell: (c: Column) => <Box>{textOf(c, item) || t('value.none')}</Box>,
            })),
          ]}
        />
      </Modal>
    </>
  )
}
