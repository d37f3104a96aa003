/**
 * A security group's rule as a resource of its own, with an id, tags, filters and pages.
 *
 * Invariant: there is no row of this kind in the store: a rule lives in its group, and what is read or written here is a part
 * of the group's row. The claim of scope 'security-group-rule' finds the group by the rule's id.
 */
import type { Place } from '#kit/action'
import { scanOf } from '#kit/describe'
import { resource, type Change } from '#kit/resource'
import { ruleView, type Rule } from '#service/ec2/security-group/rule'
import { ruleScope, securityGroup, type SecurityGroupRow } from '#service/ec2/security-group/security-group'
import type { Reader, Row, Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

export type Spec = { group: string; vpc: string; rule: Rule }
export type Status = Record<string, never>
export type RuleRow = Row<Spec, Status>

const definition = resource<Spec, Status, sdk.SecurityGroupRule>({
  kind: 'security-group-rule', prefix: 'sgr', label: 'security group rule ID',
  missing: 'InvalidSecurityGroupRuleId.NotFound', malformed: 'InvalidSecurityGroupRuleId.Malformed',
  view: ({ account, region, spec: { group, vpc, rule } }) => ruleView({ account, region, group, vpc }, rule),
  filters: { 'group-id': 'GroupId', 'security-group-rule-id': 'SecurityGroupRuleId' },
})

const rowOf = (group: SecurityGroupRow, rule: Rule): RuleRow => ({
  ...group, kind: definition.kind, id: rule.id, spec: { group: group.id, vpc: group.spec.vpc, rule }, tags: rule.tags,
})
export const rowsOf = (group: SecurityGroupRow): RuleRow[] => group.spec.rules.map(rule => rowOf(group, rule))

async function find(reader: Reader, id: string): Promise<RuleRow | undefined> {
  const owner = await reader.holder(ruleScope, id)
  const group = owner === undefined ? undefined : await securityGroup.find(reader, owner)
  const rule = group?.spec.rules.find(one => one.id === id)
  return group && rule && rowOf(group, rule)
}

const list = async (reader: Reader, at: Place): Promise<RuleRow[]> => (await securityGroup.list(reader, at)).flatMap(rowsOf)

/** Reads rules for `definition`'s own look-ups, which then raise AWS's errors as for any resource. */
const through = (reader: Reader): Reader => ({ ...reader, get: async (_, id) => await find(reader, id) as never })

export const securityGroupRule = {
  ...definition,
  find,
  get: (reader: Reader, at: Place, id: string) => definition.get(through(reader), at, id),
  getAll: (reader: Reader, at: Place, ids: readonly string[]) => definition.getAll(through(reader), at, ids),
  list, scan: scanOf(list),
  everywhere: async (reader: Reader) => (await securityGroup.everywhere(reader)).flatMap(rowsOf),
  /** Writes a rule's parts, its tags too, within its group. */
  async update(tx: Tx, row: RuleRow, { spec, tags = row.tags }: Change<Spec, Status>, event: string): Promise<RuleRow> {
    const group = (await securityGroup.find(tx, row.spec.group))!
    const rule = { ...row.spec.rule, ...spec?.rule, tags }
    const rules = group.spec.rules.map(one => (one.id === row.id ? rule : one))
    return rowOf(await securityGroup.update(tx, group, { spec: { rules } }, event), rule)
  },
}
