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
import { t } from '../i18n/text'
import type { SectionProps } from '../pages/Launch'
import { LazyEditor } from './LazyEditor'
import { templates } from '../pages/launch-state'

type Choice = { value: string; label: string }

export function AdvancedSection({ state, set }: SectionProps) {
  const profiles = useList('iam', 'ListInstanceProfiles', 'InstanceProfiles')
  const select = (label: string, value: string, options: Choice[], change: (value: string) => void, error?: string) => (
    <FormField label={label} errorText={error}>
      <Select
        options={options}
        selectedOption={options.find(o => o.value === value) ?? null}
        onChange={({ detail }) => change(detail.selectedOption.value!)}
      />
    </FormField>
  )
  return (
    <ExpandableSection variant="container" defaultExpanded headerText={t('launch.advanced')}>
      <SpaceBetween size="l">
        <Box color="text-body-secondary">{t('launch.notThere')}</Box>
        <ColumnLayout columns={2}>
          {select(
            t('f.role'),
            state.profile,
            [
              { value: '', label: t('value.none') },
              ...(profiles.data ?? []).map(p => ({ value: p.InstanceProfileName as string, label: p.InstanceProfileName as string })),
            ],
            profile => set({ profile }),
          )}
          {select(
            t('f.hostnameType'),
            state.hostname,
            [
              { value: '', label: t('launch.subnetDefault') },
              { value: 'ip-name', label: t('word.ip-name') },
              { value: 'resource-name', label: t('word.resource-name') },
            ],
            hostname => set({ hostname: hostname as '' }),
          )}
          {select(
            t('launch.shutdown'),
            state.shutdown,
            [
              { value: 'stop', label: t('launch.stop') },
              { value: 'terminate', label: t('launch.terminate') },
            ],
            shutdown => set({ shutdown: shutdown as 'stop' }),
          )}
          {select(
            t('launch.credits'),
            state.credits,
            [
              { value: '', label: t('launch.typeDefault') },
              { value: 'standard', label: t('launch.credits.standard') },
              { value: 'unlimited', label: t('launch.credits.unlimited') },
            ],
            credits => set({ credits: credits as '' }),
          )}
          {select(
            t('launch.metadataVersion'),
            state.tokens,
            [
              { value: 'required', label: t('launch.v2') },
              { value: 'optional', label: t('launch.v1v2') },
            ],
            tokens => set({ tokens: tokens as 'required' }),
          )}
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
