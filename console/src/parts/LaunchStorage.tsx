/** The launch page's volumes: the root's, as many more as are wanted, and what the instance type brings. */
import { Box, Button, Checkbox, ColumnLayout, Container, FormField, Header, Input, Select, SpaceBetween } from '@cloudscape-design/components'
import { useList } from '../api/use'
import { t } from '../i18n/text'
import type { SectionProps } from '../pages/Launch'
import { hasIops, hasThroughput, newVolume, type Volume } from '../pages/launch-state'
import { labelOf } from '../resources/choices'
import type { Item } from '../resources/kinds'

const TYPES = ['gp3', 'gp2', 'io1', 'io2', 'st1', 'sc1', 'standard'] as const
const optionsNow = () => TYPES.map(value => ({ value: value as string, label: t(`volumeType.${value}`) }))

export function StorageSection({ state, set, type }: SectionProps & { type?: Item }) {
  const change = (i: number, part: Partial<Volume>): void =>
    set({ volumes: state.volumes.map((volume, j) => (i === j ? { ...volume, ...part } : volume)) })
  const add = <Button onClick={() => set({ volumes: [...state.volumes, newVolume] })}>{t('launch.addVolume')}</Button>
  const disks = (type?.InstanceStorageInfo?.Disks ?? []) as Item[]
  return (
    <Container
      header={
        <Header variant="h2" actions={add}>
          {t('launch.storage')}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <VolumeRow title={t('launch.root')} volume={state.root} onChange={part => set({ root: { ...state.root, ...part } })} />
        {state.volumes.map((volume, i) => (
          <VolumeRow
            key={i}
            title={t('launch.volume', { number: i + 2 })}
            volume={volume}
            onChange={part => change(i, part)}
            onRemove={() => set({ volumes: state.volumes.filter((_, j) => i !== j) })}
            own
          />
        ))}
        {disks.map((disk, i) => (
          <Box key={i}>{t('launch.store', { count: disk.Count, size: disk.SizeInGB })}</Box>
        ))}
        <Box color="text-body-secondary">{t('launch.notEncrypted')}</Box>
      </SpaceBetween>
    </Container>
  )
}

type RowProps = { title: string; volume: Volume; onChange(part: Partial<Volume>): void; onRemove?(): void; own?: boolean }

export function VolumeRow({ title, volume, onChange, onRemove, own = false }: RowProps) {
  const snapshots = useList('ec2', 'DescribeSnapshots', 'Snapshots', { kinds: ['snapshot'], input: { OwnerIds: ['self'] }, off: !own })
  const sources = [
    { value: '', label: t('launch.emptyDisk') },
    ...(snapshots.data ?? []).map(s => ({ value: s.SnapshotId as string, label: labelOf(s.SnapshotId, s), description: s.Description as string })),
  ]
  const number = (label: string, value: string, change: (value: string) => void, placeholder?: string) => (
    <FormField label={label}>
      <Input ariaLabel={`${title}: ${label}`} type="number" value={value} placeholder={placeholder} onChange={({ detail }) => change(detail.value)} />
    </FormField>
  )
  return (
    <div role="group" aria-label={title}>
      <SpaceBetween size="s">
        <Box variant="h3">{title}</Box>
        <ColumnLayout columns={2}>
          {number(t('launch.size'), volume.size, size => onChange({ size }))}
          <FormField label={t('launch.volumeType')}>
            <Select
              ariaLabel={`${title}: ${t('launch.volumeType')}`}
              selectedOption={optionsNow().find(one => one.value === volume.type) ?? null}
              options={optionsNow()}
              onChange={({ detail }) => onChange({ type: detail.selectedOption.value! })}
            />
          </FormField>
          {hasIops(volume.type) && number(t('f.iops'), volume.iops, iops => onChange({ iops }), volume.type === 'gp3' ? '3000' : undefined)}
          {hasThroughput(volume.type) && number(t('f.throughput'), volume.throughput, throughput => onChange({ throughput }), '125')}
        </ColumnLayout>
        {own && (
          <FormField label={t('launch.fromSnapshot')}>
            <Select
              ariaLabel={`${title}: ${t('launch.fromSnapshot')}`}
              selectedOption={sources.find(o => o.value === volume.snapshot) ?? sources[0]!}
              options={sources}
              onChange={({ detail }) => onChange({ snapshot: detail.selectedOption.value! })}
            />
          </FormField>
        )}
        <Checkbox checked={volume.deleted} onChange={({ detail }) => onChange({ deleted: detail.checked })}>
          {t('f.deleteOnTermination')}
        </Checkbox>
        {onRemove && <Button onClick={onRemove}>{t('do.remove')}</Button>}
      </SpaceBetween>
    </div>
  )
}
