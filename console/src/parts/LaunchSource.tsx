/** The launch page's template: which version the launch goes by. */
import { Alert, Box, Container, FormField, Header, Select, SpaceBetween } from '@cloudscape-design/components'
import { useList } from '../api/use'
import { t } from '../i18n/text'
import { notShown, type Source } from '../pages/template-state'
import { go } from '../shell/router'

export function LaunchSource({ source }: { source: Source }) {
  const list = useList('ec2', 'DescribeLaunchTemplateVersions', 'LaunchTemplateVersions', { input: { LaunchTemplateId: source.id } })
  const options = (list.data ?? []).map(one => ({
    value: String(one.VersionNumber),
    label: one.DefaultVersion ? `${one.VersionNumber} (${t('templates.isDefault')})` : String(one.VersionNumber),
    description: one.VersionDescription as string,
  }))
  const others = notShown(source.data)
  return (
    <Container
      header={
        <Header variant="h2" description={t('templates.sourceHint')}>
          {t('templates.source')}
        </Header>
      }
    >
      <SpaceBetween size="m">
        <Box>
          {list.data?.[0]?.LaunchTemplateName} ({source.id})
        </Box>
        <FormField label={t('templates.version')}>
          <Select
            options={options}
            selectedOption={options.find(o => o.value === source.version) ?? { value: source.version, label: source.version }}
            onChange={({ detail }) => go(`/ec2/instances/launch?template=${source.id}&version=${detail.selectedOption.value}`)}
          />
        </FormField>
        {others.length > 0 && <Alert type="info">{t('templates.othersKept', { names: others.join(', ') })}</Alert>}
      </SpaceBetween>
    </Container>
  )
}
