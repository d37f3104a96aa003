/** The panel at the launch page's side. */
import { Box, Container, FormField, Header, Input, KeyValuePairs, SpaceBetween } from '@cloudscape-design/components'
import type { ReactNode } from 'react'
import { useList } from '../api/use'
import { t } from '../i18n/text'
import type { SectionProps } from '../pages/Launch'
import { callsOf, disksOf } from '../pages/launch-state'
import type { Item } from '../resources/kinds'
import { facts } from '../shell/facts'
import { Code } from './Code'
import { Cost } from './Cost'

export function LaunchSummary({
  state,
  set,
  image,
  groups,
  actions,
}: SectionProps & { image?: Item; busy: boolean; groups: Item[]; actions: ReactNode }) {
  const firewall =
    state.group === 'new'
      ? `${t('launch.newGroup')} (${state.groupName})`
      : groups
          .filter(g => state.groups.includes(g.GroupId))
          .map(g => g.GroupName)
          .join(', ') || t('f.default')
  const subnets = useList('ec2', 'DescribeSubnets', 'Subnets', { kinds: ['subnet'] })
  const subnet = (subnets.data ?? []).find(s => (state.subnet ? s.SubnetId === state.subnet : s.VpcId === state.vpc && s.DefaultForAz))
  const isPublic = state.publicIp === '' ? subnet?.MapPublicIpOnLaunch === true : state.publicIp === 'true'
  const count = Math.max(1, Number(state.count) || 1)
  const disks = disksOf(state, image)
  const times = <T,>(list: readonly T[]): T[] => Array.from({ length: count }, () => list).flat()
  return (
    <div style={{ position: 'sticky', top: '5rem' }}>
      <Container header={<Header variant="h2">{t('launch.summary')}</Header>} footer={actions}>
        <SpaceBetween size="m">
          <FormField label={t('launch.count')}>
            <Input type="number" value={state.count} onChange={({ detail }) => set({ count: detail.value })} />
          </FormField>
          <KeyValuePairs
            columns={1}
            items={[
              {
                label: t('launch.summaryImage'),
                value: image ? (
                  <>
                    {image.Name}
                    <Box color="text-body-secondary">{image.ImageId}</Box>
                  </>
                ) : (
                  t('value.none')
                ),
              },
              { label: t('launch.summaryType'), value: state.type },
              { label: t('launch.summaryFirewall'), value: firewall },
              {
                label: t('launch.summaryStorage'),
                value: t('launch.volumes', {
                  count: disks.length,
                  size: disks.reduce((sum, { gib }) => sum + gib, 0),
                }),
              },
              { label: t('launch.cost'), value: <Cost types={times([state.type])} disks={times(disks)} addresses={isPublic ? count : 0} /> },
            ]}
          />
          <Code calls={callsOf(state, facts().hostAddress)} />
        </SpaceBetween>
      </Container>
    </div>
  )
}
