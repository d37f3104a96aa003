/** Instance types as a listing, some of them side by side. */
import { Box, Modal, Table } from '@cloudscape-design/components'
import { t } from '../i18n/text'
import { textOf } from '../parts/cells'
import { wordText } from '../parts/State'
import { priceOf } from '../prices'
import { column, type Column, type Item, type Resource } from './kinds'

const gb = (i: Item): string | undefined => (i.InstanceStorageInfo ? `${i.InstanceStorageInfo.TotalSizeInGB} GB` : undefined)
const columns: Column[] = [
  column('InstanceType', 'f.InstanceType'),
  column('VCpuInfo.DefaultVCpus', 'f.vcpus', { width: 110 }),
  { id: 'memory', label: 'f.memory', width: 150, value: i => i.MemoryInfo.SizeInMiB / 1024 },
  { id: 'price', label: 'f.price', width: 250, kind: 'usd', value: i => priceOf(i.InstanceType) },
  { id: 'architecture', label: 'f.architecture', value: i => i.ProcessorInfo.SupportedArchitectures.join(', ') },
  { id: 'network', label: 'f.network', width: 200, value: i => wordText(i.NetworkInfo.NetworkPerformance).replace(/^Up to /, `${t('value.upTo')} `) },
  { id: 'storage', label: 'f.storage', value: gb },
  column('CurrentGeneration', 'f.currentGeneration'),
  column('BurstablePerformanceSupported', 'f.burstable'),
  column('FreeTierEligible', 'f.freeTier', { width: 230 }),
  column('Hypervisor', 'f.hypervisor', { hidden: true }),
]

function Compare({ items, onClose }: { items: Item[]; onClose(): void }) {
  return (
    <Modal visible size="max" header={t('types.compareTitle')} closeAriaLabel={t('do.close')} onDismiss={onClose}>
      <Table
        items={columns.slice(1)}
        variant="embedded"
        ariaLabels={{ tableLabel: t('types.compareTitle') }}
        columnDefinitions={[
          { id: 'label', header: '', isRowHeader: true, cell: c => <b>{t(c.label)}</b> },
          ...items.map(item => ({
            id: item.InstanceType as string,
            header: item.InstanceType as string,
            cell: (c: Column) => <Box>{textOf(c, item) || t('value.none')}</Box>,
          })),
        ]}
      />
    </Modal>
  )
}

export const resources: Resource[] = [
  {
    path: '/ec2/instance-types',
    service: 'ec2',
    title: 'menu.instanceTypes',
    empty: ['types.empty', 'types.emptyHint'],
    operation: 'DescribeInstanceTypes',
    member: 'InstanceTypes',
    id: item => item.InstanceType,
    kinds: [],
    columns,
    actions: [
      {
        id: 'compare',
        label: 'types.compare',
        place: 'button',
        least: 2,
        dialog: (items, onClose) => <Compare items={items} onClose={onClose} />,
      },
      { id: 'launch', label: 'types.launch', place: 'button', href: item => `/ec2/instances/launch?type=${item.InstanceType}` },
    ],
  },
]
