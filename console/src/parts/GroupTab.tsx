/** A security group's rules one way, with the way to edit them. */
import { Button } from '@cloudscape-design/components'
import { useList } from '../api/use'
import { t } from '../i18n/text'
import { go } from '../shell/router'
import { RuleTable } from './RuleTable'

export const useRules = (id: string) =>
  useList('ec2', 'DescribeSecurityGroupRules', 'SecurityGroupRules', {
    kinds: ['security-group-rule', 'security-group'],
    input: { Filters: [{ Name: 'group-id', Values: [id] }] },
  })

export function GroupTab({ id, outbound }: { id: string; outbound: boolean }) {
  const rules = useRules(id)
  const edit = (
    <Button onClick={() => go(`/ec2/security-groups/${id}/${outbound ? 'outbound' : 'inbound'}`)}>
      {t(outbound ? 'rules.edit.outbound' : 'rules.edit.inbound')}
    </Button>
  )
  return (
    <RuleTable
      title={outbound ? 'instances.outbound' : 'instances.inbound'}
      rules={(rules.data ?? []).filter(rule => rule.IsEgress === outbound)}
      actions={edit}
    />
  )
}
