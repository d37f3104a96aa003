/** What may be asked of network ACLs. */
import type { Actions } from '#kit/action'
import { describe } from '#kit/describe'
import { ApiError } from '#kit/error'
import { hasDependencies } from '#service/ec2/errors'
import { readEntry, ruleNumber } from '#service/ec2/network-acl/entry'
import { NETWORK_ACL_ASSOCIATION as SCOPE, networkAcl, type Entry, type NetworkAclRow } from '#service/ec2/network-acl/network-acl'
import { subnet } from '#service/ec2/subnet/subnet'
import { checkLimit } from '#service/ec2/vpc/limits'
import { claimId } from '#service/ec2/vpc/numbers'
import { vpc } from '#service/ec2/vpc/vpc'
import type { Tx } from '#store/store'
import type * as sdk from '@aws-sdk/client-ec2'

type Which = Pick<Entry, 'number' | 'egress'>
const same = (a: Which, b: Which): boolean => a.number === b.number && a.egress === b.egress

/** The entry of this number and direction, or AWS's error (terraform-provider-aws#12175). */
function entryOf({ id, spec }: NetworkAclRow, which: Which): Entry {
  const found = spec.entries.find(entry => same(entry, which))
  if (found) return found
  const direction = which.egress ? 'egress' : 'ingress'
  throw new ApiError('InvalidNetworkAclEntry.NotFound', `no ${direction} entry with number ${which.number} in network acl ${id}`)
}

const write = (tx: Tx, row: NetworkAclRow, entries: Entry[], event: string) => networkAcl.update(tx, row, { spec: { entries } }, event)

export const actions: Actions<typeof sdk> = {
  DescribeNetworkAcls: describe(networkAcl, 'NetworkAclIds', 'NetworkAcls'),

  /** A new ACL denies all: it has nothing but the last rule. */
  async CreateNetworkAcl({ input, account, region, tx, now, tags }) {
    const place = { account, region }
    const network = await vpc.get(tx, place, input.VpcId!)
    checkLimit('networkAcls', (await networkAcl.list(tx, place)).filter(row => row.spec.vpc === network.id).length)
    const row = await tx.put(networkAcl.make({
      ...place, now, tags: tags('network-acl'), status: {}, spec: { vpc: network.id, isDefault: false, entries: [] },
    }), 'created')
    return { NetworkAcl: await networkAcl.viewOne(tx, row), ClientToken: input.ClientToken }
  },

  async DeleteNetworkAcl({ input, account, region, tx }) {
    const row = await networkAcl.get(tx, { account, region }, input.NetworkAclId!)
    if (row.spec.isDefault) throw new ApiError('InvalidParameterValue', `cannot delete default network ACL ${row.id}`)
    const { Associations } = await networkAcl.viewOne(tx, row)
    if (Associations!.length > 0) throw hasDependencies('networkAcl', row.id)
    await tx.remove(row, 'deleted')
    return {}
  },

  async CreateNetworkAclEntry({ input, account, region, tx }) {
    const row = await networkAcl.get(tx, { account, region }, input.NetworkAclId!)
    const entry = readEntry(input)
    if (row.spec.entries.some(other => same(other, entry))) { // amazon.aws#2592
      throw new ApiError('NetworkAclEntryAlreadyExists', `The network acl entry identified by ${entry.number} already exists.`)
    }
    // The limit is for each direction and IP version (VPC User Guide, "Amazon VPC quotas").
    const alike = (other: Entry) => other.egress === entry.egress && (other.cidr6 === undefined) === (entry.cidr6 === undefined)
    checkLimit('networkAclEntries', row.spec.entries.filter(alike).length)
    await write(tx, row, [...row.spec.entries, entry], 'entry-created')
    return {}
  },

  async ReplaceNetworkAclEntry({ input, account, region, tx }) {
    const row = await networkAcl.get(tx, { account, region }, input.NetworkAclId!)
    const entry = readEntry(input)
    entryOf(row, entry)
    await write(tx, row, row.spec.entries.map(other => (same(other, entry) ? entry : other)), 'entry-replaced')
    return {}
  },

  async DeleteNetworkAclEntry({ input, account, region, tx }) {
    const row = await networkAcl.get(tx, { account, region }, input.NetworkAclId!)
    const entry = entryOf(row, { number: ruleNumber(input.RuleNumber!), egress: input.Egress! })
    await write(tx, row, row.spec.entries.filter(other => !same(other, entry)), 'entry-deleted')
    return {}
  },

  /** A subnet always has one ACL, so that associations are never made or ended but replaced. */
  async ReplaceNetworkAclAssociation({ input, account, region, tx }) {
    const place = { account, region }
    const acl = await networkAcl.get(tx, place, input.NetworkAclId!)
    const holder = await tx.holder(SCOPE, input.AssociationId!)
    const row = (await subnet.list(tx, place)).find(other => other.id === holder)
    if (!row) throw new ApiError('InvalidAssociationID.NotFound', `The association ID '${input.AssociationId}' does not exist`)
    if (row.spec.vpc !== acl.spec.vpc) {
      throw new ApiError('InvalidParameterValue', `Network acl ${acl.id} and subnet ${row.id} belong to different networks`)
    }
    await tx.release(SCOPE, input.AssociationId!)
    const association = await claimId(tx, { scope: SCOPE, prefix: 'aclassoc', owner: row.id })
    await subnet.update(tx, row, { spec: { networkAcl: { id: acl.id, association } } }, 'network-acl-replaced')
    return { NewAssociationId: association }
  },
}
