/**
 * One good request for every implemented action of EC2, over what `prepareSamples` made: tests ask each for DryRun, and find by
 * the type of its members how it must refuse what is malformed or unknown.
 */
import * as sdk from '@aws-sdk/client-ec2'
import { prepareDiskSamples } from './disk-samples.ts'
import { prepareIpv6Samples } from './ipv6-samples.ts'
import type { Bench } from './kit.ts'
import { prepareProfileSamples } from './profile-samples.ts'
import { preparePeeringSamples } from './peering-samples.ts'
import { prepareTemplateSamples } from './template-samples.ts'
import { prepareVpcSamples } from './vpc-samples.ts'

export type Samples = Record<string, object>

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8Gcx2C3GLX1x4Vb0Vf4hoVgO5n9NQ0bNl0XyQXjtTq sample'
const web = { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }

/** Makes a key, a group with a rule, a running and a stopped instance; answers a request for each action. */
export async function prepareSamples(bench: Bench): Promise<Samples> {
  const { ec2, run, launch, until, imageId, vpcId } = bench
  await ec2.send(new sdk.CreateKeyPairCommand({ KeyName: 'sample' }))
  const { GroupId } = await ec2.send(new sdk.CreateSecurityGroupCommand({ GroupName: 'sample', Description: 'sample' }))
  const allowed = await ec2.send(new sdk.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [web] }))
  const rule = allowed.SecurityGroupRules![0]!.SecurityGroupRuleId!
  const running = await launch({ DisableApiTermination: false })
  const [stopped] = await run()
  await until(stopped!, 'running')
  await ec2.send(new sdk.StopInstancesCommand({ InstanceIds: [stopped!] }))
  await until(stopped!, 'stopped')
  const free = await ec2.send(new sdk.AllocateAddressCommand({}))
  const held = await ec2.send(new sdk.AllocateAddressCommand({}))
  const { AssociationId } = await ec2.send(new sdk.AssociateAddressCommand({ AllocationId: held.AllocationId, InstanceId: running.InstanceId }))
  const AllocationId = free.AllocationId!
  const InstanceIds = [running.InstanceId!]
  const InstanceId = running.InstanceId!
  const NetworkInterfaceId = running.NetworkInterfaces![0]!.NetworkInterfaceId!
  const VolumeId = running.BlockDeviceMappings![0]!.Ebs!.VolumeId!
  const SubnetId = running.SubnetId!
  const own = await ec2.send(new sdk.CreateNetworkInterfaceCommand({ SubnetId, SecondaryPrivateIpAddressCount: 1 }))
  const spare = own.NetworkInterface!
  const second = await ec2.send(new sdk.CreateNetworkInterfaceCommand({ SubnetId }))
  const { AttachmentId } = await ec2.send(new sdk.AttachNetworkInterfaceCommand({
    NetworkInterfaceId: second.NetworkInterface!.NetworkInterfaceId, InstanceId: stopped, DeviceIndex: 1,
  }))
  const egress = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
  return {
    CreateNetworkInterface: { SubnetId }, DeleteNetworkInterface: { NetworkInterfaceId: spare.NetworkInterfaceId },
    AttachNetworkInterface: { NetworkInterfaceId: spare.NetworkInterfaceId, InstanceId, DeviceIndex: 1 }, DetachNetworkInterface: { AttachmentId },
    AssignPrivateIpAddresses: { NetworkInterfaceId, SecondaryPrivateIpAddressCount: 1 },
    UnassignPrivateIpAddresses: {
      NetworkInterfaceId: spare.NetworkInterfaceId, PrivateIpAddresses: [spare.PrivateIpAddresses![1]!.PrivateIpAddress!],
    },
    ResetNetworkInterfaceAttribute: { NetworkInterfaceId, SourceDestCheck: 'true' },
    AllocateAddress: {}, AssociateAddress: { AllocationId, InstanceId }, DisassociateAddress: { AssociationId }, ReleaseAddress: { AllocationId },
    DescribeAddresses: { AllocationIds: [AllocationId] }, DescribeAddressesAttribute: { AllocationIds: [AllocationId] },
    ModifyAddressAttribute: { AllocationId, DomainName: 'a.example.org' }, ResetAddressAttribute: { AllocationId, Attribute: 'domain-name' },
    ...await prepareVpcSamples(bench),
    ...await prepareIpv6Samples(bench),
    ...await prepareDiskSamples(bench, { running: InstanceId, stopped: stopped! }),
    ...await preparePeeringSamples(bench),
    ...await prepareTemplateSamples(bench, InstanceId),
    ...await prepareProfileSamples(bench, { having: InstanceId, without: stopped! }),
    AuthorizeSecurityGroupEgress: { GroupId, IpPermissions: [web] },
    AuthorizeSecurityGroupIngress: { GroupId, IpPermissions: [{ ...web, FromPort: 443, ToPort: 443 }] },
    CreateKeyPair: { KeyName: 'sample-2' },
    CreateSecurityGroup: { GroupName: 'sample-2', Description: 'sample', VpcId: vpcId },
    CreateTags: { Resources: [InstanceId], Tags: [{ Key: 'a', Value: 'b' }] },
    DeleteKeyPair: { KeyName: 'sample' },
    DeleteSecurityGroup: { GroupId },
    DeleteTags: { Resources: [InstanceId], Tags: [{ Key: 'a' }] },
    DescribeAccountAttributes: {}, DescribeAvailabilityZones: {}, DescribeDhcpOptions: {},
    DescribeImages: { ImageIds: [imageId] },
    DescribeInstanceAttribute: { InstanceId, Attribute: 'userData' },
    DescribeInstanceCreditSpecifications: { InstanceIds }, DescribeInstanceStatus: { InstanceIds }, DescribeInstances: { InstanceIds },
    DescribeInstanceTypeOfferings: {}, DescribeInstanceTypes: { InstanceTypes: ['t3.micro'] },
    DescribeInternetGateways: {}, DescribeKeyPairs: { KeyNames: ['sample'] }, DescribeNetworkAcls: {},
    DescribeNetworkInterfaceAttribute: { NetworkInterfaceId, Attribute: 'groupSet' },
    DescribeNetworkInterfaces: { NetworkInterfaceIds: [NetworkInterfaceId] }, DescribeRegions: {}, DescribeRouteTables: {},
    DescribeSecurityGroupReferences: { GroupId: [GroupId] }, DescribeSecurityGroupRules: { SecurityGroupRuleIds: [rule] },
    DescribeSecurityGroups: { GroupIds: [GroupId] }, DescribeSnapshots: {}, DescribeStaleSecurityGroups: { VpcId: vpcId },
    DescribeSubnets: { SubnetIds: [SubnetId] }, DescribeTags: {}, DescribeVolumeAttribute: { VolumeId, Attribute: 'autoEnableIO' },
    DescribeVolumeStatus: { VolumeIds: [VolumeId] }, DescribeVolumes: { VolumeIds: [VolumeId] },
    DescribeVpcAttribute: { VpcId: vpcId, Attribute: 'enableDnsSupport' }, DescribeVpcs: { VpcIds: [vpcId] },
    GetConsoleOutput: { InstanceId }, GetEbsEncryptionByDefault: {}, GetInstanceMetadataDefaults: {},
    GetSecurityGroupsForVpc: { VpcId: vpcId }, GetSerialConsoleAccessStatus: {},
    EnableSerialConsoleAccess: {}, DisableSerialConsoleAccess: {},
    ImportKeyPair: { KeyName: 'sample-3', PublicKeyMaterial: Buffer.from(publicKey) },
    ModifyInstanceAttribute: { InstanceId: stopped, InstanceType: { Value: 't3.small' } },
    ModifyInstanceCreditSpecification: { InstanceCreditSpecifications: [{ InstanceId, CpuCredits: 'standard' }] },
    ModifyInstanceMaintenanceOptions: { InstanceId, AutoRecovery: 'disabled' },
    ModifyInstanceMetadataDefaults: { HttpTokens: 'required' },
    ModifyInstanceMetadataOptions: { InstanceId, HttpTokens: 'required' },
    ModifyNetworkInterfaceAttribute: { NetworkInterfaceId, Description: { Value: 'other' } },
    ModifySecurityGroupRules: {
      GroupId,
      SecurityGroupRules: [{ SecurityGroupRuleId: rule, SecurityGroupRule: { IpProtocol: 'udp', FromPort: 1, ToPort: 1, CidrIpv4: '10.0.0.0/8' } }],
    },
    ModifySubnetAttribute: { SubnetId, MapPublicIpOnLaunch: { Value: false } },
    MonitorInstances: { InstanceIds }, UnmonitorInstances: { InstanceIds }, RebootInstances: { InstanceIds },
    RevokeSecurityGroupEgress: { GroupId, IpPermissions: [egress] },
    RevokeSecurityGroupIngress: { GroupId, SecurityGroupRuleIds: [rule] },
    RunInstances: { ImageId: imageId, InstanceType: 't3.micro', MinCount: 1, MaxCount: 2, KeyName: 'sample', SubnetId, SecurityGroupIds: [GroupId] },
    StartInstances: { InstanceIds: [stopped] }, StopInstances: { InstanceIds }, TerminateInstances: { InstanceIds },
    UpdateSecurityGroupRuleDescriptionsEgress: { GroupId, IpPermissions: [{ ...egress, IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'all' }] }] },
    UpdateSecurityGroupRuleDescriptionsIngress: { GroupId, SecurityGroupRuleDescriptions: [{ SecurityGroupRuleId: rule, Description: 'x' }] },
  }
}

/** Actions that no request can bring to success in a new account, and what they answer instead. */
export const refusing: Record<string, { input(bench: Bench): object; code: string }> = {
  // The default VPC is there already.
  CreateDefaultVpc: { input: () => ({}), code: 'DefaultVpcAlreadyExists' },
  // So are its subnets, one in each zone.
  CreateDefaultSubnet: { input: () => ({ AvailabilityZone: 'us-east-1a' }), code: 'DefaultSubnetAlreadyExistsInAvailabilityZone' },
}
