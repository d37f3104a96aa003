/** The launch page's volumes: the root's, and as many more as are wanted. */
import { Button, Container, FormField, Header, Input, Select, SpaceBetween } from '@cloudscape-design/components'
import { t } from '../i18n/text'
import type { SectionProps } from '../pages/Launch'

const TYPES = ['gp3', 'gp2', 'io1', 'io2', 'st1', 'sc1', 'standard']
const options = TYPES.map(value => ({ value, label: value }))
type Volume = { size: string; type: string }

export function StorageSection({ state, set }: SectionProps) {
  const change = (i: number, part: Partial<Volume>): void =>
    set({ volumes: state.volumes.map((volume, j) => (i === j ? { ...volume, ...part } : volume)) })
  const add = <Button onClick={() => set({ volumes: [...state.volumes, { size: '8', type: 'gp3' }] })}>{t('launch.addVolume')}</Button>
  return (
    <Container
      header={
        <Header variant="h2" actions={add}>
          {t('launch.storage')}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <VolumeRow
          title={t('launch.root')}
          volume={{ size: state.size, type: state.volumeType }}
          onChange={({ size = state.size, type = state.volumeType }) => set({ size, volumeType: type })}
        />
        {state.volumes.map((volume, i) => (
          <VolumeRow
            key={i}
            title={t('launch.volume', { number: i + 2 })}
            volume={volume}
            onChange={part => change(i, part)}
            onRemove={() => set({ volumes: state.volumes.filter((_, j) => i !== j) })}
          />
        ))}
      </SpaceBetween>
    </Container>
  )
}

type RowProps = { title: string; volume: Volume; onChange(part: Partial<Volume>): void; onRemove?(): void }

function VolumeRow({ title, volume, onChange, onRemove }: RowProps) {
  return (
    <SpaceBetween size="m" direction="horizontal" alignItems="end">
      <FormField label={`${title}: ${t('launch.size')}`}>
        <Input type="number" value={volume.size} onChange={({ detail }) => onChange({ size: detail.value })} />
      </FormField>
      <FormField label={`${title}: ${t('launch.volumeType')}`}>
        <Select
          selectedOption={{ value: volume.type, label: volume.type }}
          options={options}
          onChange={({ detail }) => onChange({ type: detail.selectedOption.value! })}
        />
      </FormField>
      {onRemove && <Button onClick={onRemove}>{t('do.remove')}</Button>}
    </SpaceBetween>
  )
}
