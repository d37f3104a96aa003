/** The launch page's network: where the instance lives, and who may reach it. */
import {
  Alert,
  Box,
  Checkbox,
  Container,
  ExpandableSection,
  FormField,
  Header,
  Input,
  Multiselect,
  RadioGroup,
  Select,
  SpaceBetween,
} from '@cloudscape-design/components'
import { useEffect } from 'react'
import { useList, type Loaded } from '../api/use'
import { t } from '../i18n/text'
import type { SectionProps } from '../pages/Launch'
import { sshCidr } from '../pages/launch-state'
import { nameOf, type Item } from '../resources/kinds'
import { facts } from '../shell/facts'

const labelled = (id: string, item: Item, more: string) => ({ value: id, label: nameOf(item) ? `${nameOf(item)} (${id})` : id, description: more })

export function NetworkSection({ state, set, groups }: SectionProps & { groups: Loaded<Item[]> }) {
  const vpcs = useList('ec2', 'DescribeVpcs', 'Vpcs', { kinds: ['vpc'] })
  const subnets = useList('ec2', 'DescribeSubnets', 'Subnets', { kinds: ['subnet'] })
  useEffect(() => {
    if (state.vpc === '' && vpcs.data) set({ vpc: (vpcs.data.find(v => v.IsDefault) ?? vpcs.data[0])?.VpcId ?? '' })
  }, [vpcs.data])
  const vpcOptions = (vpcs.data ?? []).map(v => labelled(v.VpcId, v, `${v.CidrBlock}${v.IsDefault ? ` · ${t('f.default')}` : ''}`))
  const isDefault = (vpcs.data ?? []).find(v => v.VpcId === state.vpc)?.IsDefault === true
  const subnetOptions = [
    ...(isDefault ? [{ value: '', label: t('launch.anySubnet') }] : []),
    ...(subnets.data ?? []).filter(s => s.VpcId === state.vpc).map(s => labelled(s.SubnetId, s, `${s.AvailabilityZone} · ${s.CidrBlock}`)),
  ]
  useEffect(() => {
    if (!subnetOptions.some(o => o.value === state.subnet) && subnetOptions.length > 0) set({ subnet: subnetOptions[0]!.value })
  }, [state.vpc, subnets.data, isDefault])
  const publicOptions = [
    { value: '', label: t('launch.subnetDefault') },
    { value: 'true', label: t('launch.enable') },
    { value: 'false', label: t('launch.disable') },
  ]
  const groupOptions = (groups.data ?? [])
    .filter(g => g.VpcId === state.vpc)
    .map(g => ({ value: g.GroupId as string, label: `${g.GroupName} (${g.GroupId})`, description: g.Description as string }))
  return (
    <Container header={<Header variant="h2">{t('launch.network')}</Header>}>
      <SpaceBetween size="m">
        <FormField label={t('launch.vpc')}>
          <Select
            options={vpcOptions}
            selectedOption={vpcOptions.find(o => o.value === state.vpc) ?? null}
            onChange={({ detail }) => set({ vpc: detail.selectedOption.value!, subnet: '', groups: [] })}
          />
        </FormField>
        <FormField label={t('launch.subnet')}>
          <Select
            options={subnetOptions}
            selectedOption={subnetOptions.find(o => o.value === state.subnet) ?? null}
            onChange={({ detail }) => set({ subnet: detail.selectedOption.value! })}
          />
        </FormField>
        <FormField label={t('launch.publicIp')}>
          <Select
            options={publicOptions}
            selectedOption={publicOptions.find(o => o.value === state.publicIp)!}
            onChange={({ detail }) => set({ publicIp: detail.selectedOption.value as '' })}
          />
        </FormField>
        <FormField label={t('launch.firewall')} description={t('launch.firewallHint')}>
          <RadioGroup
            ariaLabel={t('launch.firewall')}
            value={state.group}
            onChange={({ detail }) => set({ group: detail.value as 'new' })}
            items={[
              { value: 'new', label: t('launch.createGroup') },
              { value: 'existing', label: t('launch.selectGroup') },
            ]}
          />
        </FormField>
        {state.group === 'existing' ? (
          <FormField label={t('f.groups')}>
            <Multiselect
              options={groupOptions}
              selectedOptions={groupOptions.filter(o => state.groups.includes(o.value))}
              placeholder={t('f.groups')}
              onChange={({ detail }) => set({ groups: detail.selectedOptions.map(o => o.value!) })}
            />
          </FormField>
        ) : (
          <NewGroup state={state} set={set} />
        )}
        <ExpandableSection headerText={t('launch.networkAdvanced')}>
          <SpaceBetween size="m">
            <FormField label={t('launch.primaryIp')} description={t('launch.primaryIpHint')}>
              <Input value={state.privateIp} placeholder="172.31.0.10" onChange={({ detail }) => set({ privateIp: detail.value.trim() })} />
            </FormField>
            <FormField label={t('launch.nicDescription')}>
              <Input value={state.nicDescription} onChange={({ detail }) => set({ nicDescription: detail.value })} />
            </FormField>
          </SpaceBetween>
        </ExpandableSection>
      </SpaceBetween>
    </Container>
  )
}

function NewGroup({ state, set }: SectionProps) {
  const { hostAddress } = facts()
  const sources = [
    { value: 'anywhere', label: t('launch.anywhere'), description: '0.0.0.0/0' },
    { value: 'mine', label: t('launch.myIp'), description: `${hostAddress}/32` },
    { value: 'custom', label: t('launch.custom') },
  ]
  return (
    <SpaceBetween size="m">
      <Box>{t('launch.groupNew', { name: state.groupName })}</Box>
      <SpaceBetween size="m" direction="horizontal">
        <Checkbox checked={state.ssh} description={t('launch.sshHint')} onChange={({ detail }) => set({ ssh: detail.checked })}>
          {t('launch.ssh')}
        </Checkbox>
        {state.ssh && (
          <Select
            ariaLabel={t('launch.sshFrom')}
            options={sources}
            selectedOption={sources.find(o => o.value === state.sshFrom)!}
            triggerVariant="option"
            onChange={({ detail }) => set({ sshFrom: detail.selectedOption.value as 'mine' })}
          />
        )}
        {state.ssh && state.sshFrom === 'custom' && (
          <Input
            ariaLabel={t('launch.sshFrom')}
            value={state.sshCidr}
            placeholder="203.0.113.0/24"
            onChange={({ detail }) => set({ sshCidr: detail.value })}
          />
        )}
      </SpaceBetween>
      <Checkbox checked={state.https} description={t('launch.httpsHint')} onChange={({ detail }) => set({ https: detail.checked })}>
        {t('launch.https')}
      </Checkbox>
      <Checkbox checked={state.http} description={t('launch.httpHint')} onChange={({ detail }) => set({ http: detail.checked })}>
        {t('launch.http')}
      </Checkbox>
      {state.ssh && sshCidr(state, hostAddress) === '0.0.0.0/0' && <Alert type="warning">{t('launch.openWarning')}</Alert>}
    </SpaceBetween>
  )
}
