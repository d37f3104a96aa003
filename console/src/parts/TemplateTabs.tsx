/** The versions of a launch template: which there are, and what one of them says. */
import { Box, Button, Container, FormField, Header, Select, SpaceBetween } from '@cloudscape-design/components'
import { useState } from 'react'
import { useList } from '../api/use'
import { t } from '../i18n/text'
import { column, type Column, type Item } from '../resources/kinds'
import { go } from '../shell/router'
import { Facts } from './Facts'
import { List } from './SubList'

const columns: Column[] = [
  column('VersionNumber', 'f.version'),
  column('VersionDescription', 'f.description'),
  column('DefaultVersion', 'templates.isDefault'),
  column('CreateTime', 'f.created', { kind: 'date' }),
  column('CreatedBy', 'templates.createdBy'),
]
const inData = (name: string, label: Column['label'], more: Partial<Column> = {}): Column => column(`LaunchTemplateData.${name}`, label, more)
const facts: Column[] = [
  inData('ImageId', 'f.ImageId', { link: '/ec2/images' }),
  inData('InstanceType', 'f.InstanceType'),
  inData('KeyName', 'f.KeyName'),
  {
    id: 'groups',
    label: 'f.groups',
    value: ({ LaunchTemplateData: data }) => (data.SecurityGroupIds ?? data.NetworkInterfaces?.[0]?.Groups ?? data.SecurityGroups)?.join(', '),
  },
  { id: 'subnet', label: 'f.SubnetId', value: item => item.LaunchTemplateData.NetworkInterfaces?.[0]?.SubnetId, link: '/vpc/subnets' },
  {
    id: 'profile',
    label: 'f.role',
    value: ({ LaunchTemplateData: data }) => data.IamInstanceProfile?.Name ?? data.IamInstanceProfile?.Arn,
  },
]

export function TemplateVersions({ item }: { item: Item }) {
  const id = item.LaunchTemplateId as string
  const list = useList('ec2', 'DescribeLaunchTemplateVersions', 'LaunchTemplateVersions', {
    input: { LaunchTemplateId: id },
    kinds: ['launch-template', 'launch-template-version'],
  })
  const [chosen, setChosen] = useState<number>()
  const versions = list.data ?? []
  const shown = versions.find(one => one.VersionNumber === chosen) ?? versions.find(one => one.DefaultVersion)
  const options = versions.map(one => ({ value: String(one.VersionNumber), label: String(one.VersionNumber), description: one.VersionDescription }))
  const number = shown?.VersionNumber as number | undefined
  return (
    <SpaceBetween size="l">
      <List title="templates.versions" columns={columns} items={versions} loading={list.loading && !list.data} />
      <Container
        header={
          <Header
            variant="h2"
            actions={
              <SpaceBetween size="xs" direction="horizontal">
                <Button onClick={() => go(`/create/ec2/launch-templates?template=${id}&version=${number}`)}>{t('templates.newVersion')}</Button>
                <Button onClick={() => go(`/ec2/instances/launch?template=${id}&version=${number}`)}>{t('templates.launch')}</Button>
              </SpaceBetween>
            }
          >
            {t('templates.details')}
          </Header>
        }
      >
        <FormField label={t('f.version')}>
          <Select
            selectedOption={options.find(o => o.value === String(number)) ?? null}
            options={options}
            empty={t('value.none')}
            onChange={({ detail }) => setChosen(Number(detail.selectedOption.value))}
          />
        </FormField>
      </Container>
      {shown && <Facts title="tab.details" columns={facts} item={shown} />}
      {shown && (
        <Container header={<Header variant="h2">{t('templates.data')}</Header>}>
          <Box variant="code" display="block">
            <pre style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', margin: 0 }} tabIndex={0}>
              {JSON.stringify(shown.LaunchTemplateData, null, 2)}
            </pre>
          </Box>
        </Container>
      )}
    </SpaceBetween>
  )
}
