/** The launch page's key pair: chosen, made in place and downloaded, or none. */
import { Alert, Button, Container, FormField, Header, Input, RadioGroup, Select, SpaceBetween } from '@cloudscape-design/components'
import { useState } from 'react'
import { send, wordsOf } from '../api/call'
import type { Preview } from '../api/preview'
import { useList } from '../api/use'
import { t } from '../i18n/text'
import type { SectionProps } from '../pages/Launch'
import { flash } from '../shell/flash'
import { Code } from './Code'
import { Dialog } from './Dialog'
import { download } from './download'

const NONE = ''

export function KeySection({ state, set, error }: SectionProps & { error?: string }) {
  const keys = useList('ec2', 'DescribeKeyPairs', 'KeyPairs', { kinds: ['key-pair'] })
  const [making, setMaking] = useState(false)
  const options = [
    { value: NONE, label: t('launch.noKey') },
    ...(keys.data ?? []).map(k => ({ value: k.KeyName as string, label: k.KeyName as string, description: k.KeyType as string })),
  ]
  const chosen = state.key === undefined ? null : (options.find(o => o.value === state.key) ?? { value: state.key, label: state.key })
  return (
    <Container
      header={
        <Header variant="h2" description={t('launch.keyHint')}>
          {t('launch.key')}
        </Header>
      }
    >
      <FormField label={t('launch.keyName')} errorText={error}>
        <SpaceBetween size="xs">
          <Select
            selectedOption={chosen}
            options={options}
            placeholder={t('launch.keyName')}
            filteringType={options.length > 8 ? 'auto' : 'none'}
            onChange={({ detail }) => set({ key: detail.selectedOption.value })}
          />
          <Button variant="inline-link" iconName="add-plus" onClick={() => setMaking(true)}>
            {t('launch.newKey')}
          </Button>
        </SpaceBetween>
      </FormField>
      {making && (
        <NewKey
          onClose={() => setMaking(false)}
          onMade={key => {
            setMaking(false)
            keys.reload()
            set({ key })
          }}
        />
      )}
    </Container>
  )
}

function NewKey({ onClose, onMade }: { onClose(): void; onMade(name: string): void }) {
  const [name, setName] = useState('')
  const [type, setType] = useState('ed25519')
  const [format, setFormat] = useState('pem')
  const [error, setError] = useState<string>()
  const shown: Preview = { service: 'ec2', operation: 'CreateKeyPair', input: { KeyName: name, KeyType: type, KeyFormat: format } }
  async function make(): Promise<void> {
    try {
      const { KeyMaterial } = await send(shown)
      download(`${name}.${format}`, `${String(KeyMaterial).trimEnd()}\n`, 'application/x-pem-file')
      flash({ type: 'success', content: t('launch.keySaved', { name }) })
      onMade(name)
    } catch (cause) {
      setError(wordsOf(cause))
    }
  }
  const choice = (label: string, value: string, values: string[], change: (value: string) => void) => (
    <FormField label={label}>
      <RadioGroup
        ariaLabel={label}
        value={value}
        onChange={({ detail }) => change(detail.value)}
        items={values.map(v => ({ value: v, label: v === 'pem' || v === 'ppk' ? `.${v}` : v.toUpperCase() }))}
      />
    </FormField>
  )
  return (
    <Dialog title={t('launch.newKey')} submit={t('keys.create')} disabled={name === ''} onSubmit={() => void make()} onClose={onClose}>
      <SpaceBetween size="m">
        {error && <Alert type="error">{error}</Alert>}
        <FormField label={t('launch.keyName')}>
          <Input value={name} onChange={({ detail }) => setName(detail.value)} />
        </FormField>
        {choice(t('launch.keyType'), type, ['rsa', 'ed25519'], setType)}
        {choice(t('launch.keyFormat'), format, ['pem', 'ppk'], setFormat)}
        <Code calls={[shown]} />
      </SpaceBetween>
    </Dialog>
  )
}
