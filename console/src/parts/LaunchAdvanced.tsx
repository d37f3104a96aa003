/** The launch page's further settings, and user data. */
import {
  Box,
  Button,
  Checkbox,
  ColumnLayout,
  ExpandableSection,
  FileInput,
  FormField,
  Input,
  Select,
  SpaceBetween,
} from '@cloudscape-design/components'
import { useList } from '../api/use'
import { t, type Key } from '../i18n/text'
import type { SectionProps } from '../pages/Launch'
import { LazyEditor } from './LazyEditor'
import { templates } from '../pages/launch-state'

type Setting = { name: 'hostname' | 'shutdown' | 'credits' | 'tokens'; label: Key; options: readonly (readonly [value: string, label: Key])[] }
const CHOICES: readonly Setting[] = [
  {
    name: 'hostname',
    label: 'f.hostnameType',
    options: [
      ['', 'launch.subnetDefault'],
      ['ip-name', 'word.ip-name'],
      ['resource-name', 'word.resource-name'],
    ],
  },
  {
    name: 'shutdown',
    label: 'launch.shutdown',
    options: [
      ['stop', 'launch.stop'],
      ['terminate', 'launch.terminate'],
    ],
  },
  {
    name: 'credits',
    label: 'launch.credits',
    options: [
      ['', 'launch.typeDefault'],
      ['standard', 'launch.credits.standard'],
      ['unlimited', 'launch.credits.unlimited'],
    ],
  },
  {
    name: 'tokens',
    label: 'launch.metadataVersion',
    options: [
      ['required', 'launch.v2'],
      ['optional', 'launch.v1v2'],
    ],
  },
]

type ChoiceProps = { label: string; value: string; options: readonly (readonly [value: string, label: string])[]; onChange(value: string): void }

function Choice({ label, value, options: pairs, onChange }: ChoiceProps) {
  const options = pairs.map(([one, text]) => ({ value: one, label: text }))
  return (
    <FormField label={label}>
      <Select
        options={options}
        selectedOption={options.find(o => o.value === value) ?? null}
        onChange={({ detail }) => onChange(detail.selectedOption.value!)}
      />
    </FormField>
  )
}

/** `none`: what may be left open, as in a template. */
export function AdvancedSection({ state, set, none }: SectionProps & { none?: Key }) {
  const profiles = useList('iam', 'ListInstanceProfiles', 'InstanceProfiles')
  const roles = (profiles.data ?? []).map((p): readonly [string, string] => [p.InstanceProfileName, p.InstanceProfileName])
  return (
    <ExpandableSection variant="container" defaultExpanded headerText={t('launch.advanced')}>
      <SpaceBetween size="l">
        <Box color="text-body-secondary">{t('launch.notThere')}</Box>
        <ColumnLayout columns={2}>
          <Choice
            label={t('f.role')}
            value={state.profile}
            onChange={profile => set({ profile })}
            options={[['', t(none ?? 'value.none')], ...roles]}
          />
          {CHOICES.map(({ label, name, options }) => (
            <Choice
              key={name}
              label={t(label)}
              value={state[name]}
              onChange={value => set({ [name]: value })}
              options={[
                ...(none && options[0]![0] !== '' ? [['', t(none)] as const] : []),
                ...options.map(([value, key]) => [value, t(none && value === '' ? none : key)] as const),
              ]}
            />
          ))}
          <FormField label={t('launch.hops')}>
            <Input type="number" value={state.hops} onChange={({ detail }) => set({ hops: detail.value })} />
          </FormField>
          <SpaceBetween size="xs">
            <Checkbox checked={state.protect} onChange={({ detail }) => set({ protect: detail.checked })}>
              {t('launch.terminationProtection')}
            </Checkbox>
            <Checkbox checked={state.protectStop} onChange={({ detail }) => set({ protectStop: detail.checked })}>
              {t('launch.stopProtection')}
            </Checkbox>
            <Checkbox checked={state.monitoring} onChange={({ detail }) => set({ monitoring: detail.checked })}>
              {t('launch.monitoring')}
            </Checkbox>
            <Checkbox checked={state.endpoint} onChange={({ detail }) => set({ endpoint: detail.checked })}>
              {t('launch.metadata')}
            </Checkbox>
            <Checkbox checked={state.metadataTags} onChange={({ detail }) => set({ metadataTags: detail.checked })}>
              {t('launch.metadataTags')}
            </Checkbox>
          </SpaceBetween>
        </ColumnLayout>
        <FormField stretch label={t('launch.userData')} description={t('launch.userDataHint')}>
          <SpaceBetween size="xs">
            <SpaceBetween size="xs" direction="horizontal" alignItems="center">
              <Box>{t('launch.template')}</Box>
              <Button onClick={() => set({ userData: templates.node })}>{t('launch.template.node')}</Button>
              <Button onClick={() => set({ userData: templates.web })}>{t('launch.template.web')}</Button>
              <FileInput
                value={[]}
                onChange={({ detail }) => {
                  void detail.value[0]?.text().then(userData => set({ userData }))
                }}
              >
                {t('launch.upload')}
              </FileInput>
            </SpaceBetween>
            <LazyEditor value={state.userData} language="sh" label={t('launch.userData')} onChange={userData => set({ userData })} />
          </SpaceBetween>
        </FormField>
      </SpaceBetween>
    </ExpandableSection>
  )
}
