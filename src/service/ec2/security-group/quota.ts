/** How much of a group's quota its rules take (VPC User Guide, "Amazon VPC quotas"): a prefix list counts as many rules as its size. Pure. */
import type { Draft } from '#service/ec2/security-group/rule'

/** Rules in one direction for one IP family. */
export const MAX_RULES = 60

/** The fuller family's, as a group or list as peer counts for both. */
export function weightOf(rules: readonly Draft[], egress: boolean, sizes: ReadonlyMap<string, number>): number {
  const own = rules.filter(rule => rule.egress === egress)
  const sum = (other: 'cidr' | 'cidr6') => own.filter(rule => !(other in rule.peer))
    .reduce((total, { peer }) => total + ('prefixList' in peer ? sizes.get(peer.prefixList) ?? 1 : 1), 0)
  return Math.max(sum('cidr6'), sum('cidr'))
}
