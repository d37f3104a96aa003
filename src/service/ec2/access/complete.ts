/**
 * What a request means to policies where it names things otherwise than by their ids: a group by its name, an attachment or an association
 * for what it joins. The members that are added here are those that identity/access/derive.ts reads.
 *
 * Invariant: nothing is refused here. What a name does not lead to stays as it was, is asked as any of its type, and is refused by the action.
 */
import type { Access, Place } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { byPublicIp, placeOf } from '#service/ec2/address/address'
import { ofLaunch, ofSpecification } from '#service/ec2/access/launch'
import { instance } from '#service/ec2/instance/instance'
import { internetGateway } from '#service/ec2/internet-gateway/internet-gateway'
import { templateByName } from '#service/ec2/launch-template/launch-template'
import { templateKeys } from '#service/ec2/access/template'
import { keyPair } from '#service/ec2/key-pair/key-pair'
import { NETWORK_ACL_ASSOCIATION } from '#service/ec2/network-acl/network-acl'
import { natGateway } from '#service/ec2/nat-gateway/nat-gateway'
import { networkInterface } from '#service/ec2/network-interface/network-interface'
import { ROUTE_TABLE_ASSOCIATION } from '#service/ec2/route-table/route-table'
import { groupByName } from '#service/ec2/security-group/lookup'
import { nameScope } from '#service/ec2/security-group/security-group'
import { getCompleted } from '#service/ec2/snapshot/snapshot'
import { SUBNET_CIDR_ASSOCIATION } from '#service/ec2/subnet/ipv6'
import { subnet } from '#service/ec2/subnet/subnet'
import { peering } from '#service/ec2/vpc-peering/peering'
import { findDefaultVpc } from '#service/ec2/vpc/prepare'
import { CIDR_ASSOCIATION, vpc } from '#service/ec2/vpc/vpc'
import type { Reader } from '#store/store'

type Input = Record<string, any>
/** The members that a request should have had. */
export type Completer = (reader: Reader, place: Place, input: Input) => Promise<Input>

const groupNamed: Completer = async (reader, place, { GroupId, GroupName }) =>
  (GroupId !== undefined || GroupName === undefined ? {} : { GroupId: (await groupByName(reader, place, GroupName)).id })

const addressed: Completer = async (reader, place, { AllocationId, PublicIp }) =>
  (AllocationId !== undefined || PublicIp === undefined ? {} : { AllocationId: (await byPublicIp(reader, place, [PublicIp]))[0]!.id })

/** An Elastic IP by its address or its association, and the interface that it is taken from. */
const taken: Completer = async (reader, place, input) => {
  const allocation = (await addressed(reader, place, input)).AllocationId
  const at = await placeOf(reader, input.AssociationId ?? allocation ?? '')
  return { AllocationId: allocation ?? at?.inside.public?.allocation, NetworkInterfaceId: at?.owner.id }
}

const attached: Completer = async (reader, place, { AttachmentId }) => {
  const row = (await networkInterface.list(reader, place)).find(one => one.spec.attachment?.id === AttachmentId)
  return row ? { NetworkInterfaceId: row.id, InstanceId: row.spec.attachment!.instance } : {}
}

/** A subnet or gateway with the table that it has, or the VPC's main table. */
const routed: Completer = async (reader, place, { AssociationId, RouteTableId }) => {
  const holder = await reader.holder(ROUTE_TABLE_ASSOCIATION, AssociationId)
  const own = (await subnet.list(reader, place)).find(row => row.id === holder)
  const edge = (await internetGateway.list(reader, place)).find(row => row.id === holder)
  const table = (own ?? edge)?.spec.routeTable?.id ?? (await vpc.list(reader, place)).find(row => row.id === holder)?.spec.mainRouteTable.id
  return { SubnetId: own?.id, InternetGatewayId: edge?.id, RouteTableId: RouteTableId ?? table }
}

const filtered: Completer = async (reader, place, { AssociationId }) => {
  const holder = await reader.holder(NETWORK_ACL_ASSOCIATION, AssociationId)
  return { SubnetId: (await subnet.list(reader, place)).find(row => row.id === holder)?.id }
}

const profiled: Completer = async (reader, place, { AssociationId }) =>
  ({ InstanceId: (await instance.list(reader, place)).find(row => row.spec.profile?.association === AssociationId)?.id })

const translated: Completer = async (reader, place, { NatGatewayId, AssociationIds }) => {
  const { spec } = await natGateway.get(reader, place, NatGatewayId)
  return {
    NetworkInterfaceId: spec.interface,
    AllocationIds: spec.addresses.filter(one => AssociationIds?.includes(one.association)).map(one => one.allocation),
  }
}

const kept: Completer = async (reader, place, { KeyName, KeyPairId }) =>
  (KeyName !== undefined || KeyPairId === undefined ? {} : { KeyName: (await keyPair.get(reader, place, KeyPairId)).spec.name })

const defaulted: Completer = async (reader, place, { VpcId }) => ({ VpcId: VpcId ?? (await findDefaultVpc(reader, place))?.id })

/** An interface without groups gets the default one of its VPC. */
const grouped: Completer = async (reader, place, { SubnetId, Groups }) => {
  const { spec } = await subnet.get(reader, place, SubnetId)
  return { VpcId: spec.vpc, ...(!Groups?.length && { Groups: [await reader.holder(nameScope(spec.vpc), 'default')] }) }
}

/** What CreateVolume makes where it is not told (API Reference, CreateVolume). */
const sized: Completer = async (reader, place, { Size, SnapshotId, VolumeType }) => {
  const source = SnapshotId === undefined ? undefined : await getCompleted(reader, place, SnapshotId)
  return { Size: Size ?? source?.spec.sizeGiB, VolumeType: VolumeType ?? 'gp2', Encrypted: false,
    ...(source && { ParentSnapshot: `arn:aws:ec2:${place.region}::snapshot/${source.id}` }) }
}

/** What is watched, which one list names whatever its kind. */
const watched: Completer = async (_reader, _place, { ResourceIds, ResourceType }) => {
  const member = ({ VPC: 'VpcIds', Subnet: 'SubnetIds', NetworkInterface: 'NetworkInterfaceIds' } as Record<string, string>)[ResourceType]
  return member === undefined ? {} : { [member]: ResourceIds }
}

const accepted: Completer = async (reader, _place, { VpcPeeringConnectionId }) =>
  ({ VpcId: (await peering.find(reader, VpcPeeringConnectionId))?.spec.accepter.vpc })

const blocked: Completer = async (reader, place, { AssociationId }) => {
  const holder = await reader.holder(CIDR_ASSOCIATION, AssociationId)
  return { VpcId: (await vpc.list(reader, place)).find(row => row.id === holder)?.id }
}

const within: Completer = async (reader, place, { AssociationId }) => {
  const holder = await reader.holder(SUBNET_CIDR_ASSOCIATION, AssociationId)
  return { SubnetId: (await subnet.list(reader, place)).find(row => row.id === holder)?.id }
}

/** All volumes of an instance but those left out (API Reference, CreateSnapshots). */
const snapped: Completer = async (reader, place, { InstanceSpecification = {} }) => {
  const { InstanceId = '', ExcludeBootVolume, ExcludeDataVolumeIds = [] } = InstanceSpecification
  const { spec } = await instance.get(reader, place, InstanceId)
  const volumes = [...ExcludeBootVolume ? [] : [spec.rootVolume], ...spec.volumes ?? []].filter(id => !ExcludeDataVolumeIds.includes(id))
  return { InstanceId, VolumeIds: volumes }
}

const templated: Completer = async (reader, place, { LaunchTemplateId, LaunchTemplateName }) =>
  (LaunchTemplateId !== undefined || LaunchTemplateName === undefined ? {}
    : { LaunchTemplateId: (await templateByName(reader, place, LaunchTemplateName)).id })

/** Nothing to look for where the request lacks this, which is the action's to say. */
const having = (member: string, run: Completer): Completer =>
  async (reader, place, input) => (input[member] === undefined ? {} : run(reader, place, input))

/** By operation. */
export const completers = (context: Pick<Context, 'parameter'>): Record<string, Completer> => ({
  RunInstances: ofLaunch(context),
  AcceptVpcPeeringConnection: having('VpcPeeringConnectionId', accepted),
  AssociateAddress: addressed,
  AssociateRouteTable: async (_reader, _place, { GatewayId }) => ({ InternetGatewayId: GatewayId }),
  AssociateIamInstanceProfile: (reader, place, input) => ofSpecification(reader, place, input.IamInstanceProfile),
  AuthorizeSecurityGroupIngress: groupNamed,
  CreateFlowLogs: watched,
  CreateLaunchTemplateVersion: templated,
  CreateNetworkInterface: having('SubnetId', grouped),
  CreateSecurityGroup: defaulted,
  CreateSnapshots: snapped,
  CreateVolume: sized,
  DeleteKeyPair: kept,
  DeleteLaunchTemplate: templated,
  DeleteLaunchTemplateVersions: templated,
  DeleteSecurityGroup: groupNamed,
  DetachNetworkInterface: having('AttachmentId', attached),
  DisassociateAddress: taken,
  DisassociateIamInstanceProfile: having('AssociationId', profiled),
  DisassociateNatGatewayAddress: having('NatGatewayId', translated),
  DisassociateRouteTable: having('AssociationId', routed),
  DisassociateVpcCidrBlock: having('AssociationId', blocked),
  DisassociateSubnetCidrBlock: having('AssociationId', within),
  ModifyLaunchTemplate: templated,
  ReleaseAddress: addressed,
  ReplaceIamInstanceProfileAssociation: async (reader, place, input) =>
    ({ ...await ofSpecification(reader, place, input.IamInstanceProfile), ...await profiled(reader, place, input) }),
  ReplaceNetworkAclAssociation: having('AssociationId', filtered),
  ReplaceRouteTableAssociation: having('AssociationId', routed),
  RevokeSecurityGroupIngress: groupNamed,
  UpdateSecurityGroupRuleDescriptionsEgress: groupNamed,
  UpdateSecurityGroupRuleDescriptionsIngress: groupNamed,
})

export function access(context: Pick<Context, 'parameter'>): Access {
  const of = completers(context)
  return {
    keys: templateKeys,
    async complete(reader, place, { operation, input }) {
      try {
        const more = await of[operation]?.(reader, place, input) ?? {}
        return { ...input, ...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== undefined)) }
      } catch (error) {
        if (error instanceof ApiError) return input
        throw error
      }
    },
  }
}
