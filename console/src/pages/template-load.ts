/** Looks up what the pages of templates begin with. */
import { call } from '../api/call'
import type { Item } from '../resources/kinds'
import type { Launch } from './launch-state'
import { launchOf, type Data } from './template-state'

export async function versionOf(id: string, version: string): Promise<Item> {
  const { LaunchTemplateVersions } = await call('ec2', 'DescribeLaunchTemplateVersions', { LaunchTemplateId: id, Versions: [version] })
  return (LaunchTemplateVersions as Item[])[0]!
}

/** Of an AMI that is there: a template may name one that is gone, or a parameter that holds one. */
export async function rootDeviceOf(image: string | undefined): Promise<string | undefined> {
  if (!image?.startsWith('ami-')) return undefined
  const { Images } = await call('ec2', 'DescribeImages', { Filters: [{ Name: 'image-id', Values: [image] }] })
  return (Images as Item[])[0]?.RootDeviceName as string | undefined
}

/** The VPC in which what a version names is. */
async function vpcOf(data: Data): Promise<string | undefined> {
  const port = data.NetworkInterfaces?.[0]
  if (port?.SubnetId) return (await call('ec2', 'DescribeSubnets', { Filters: [{ Name: 'subnet-id', Values: [port.SubnetId] }] })).Subnets[0]?.VpcId
  const group = (port?.Groups ?? data.SecurityGroupIds)?.[0]
  return group && (await call('ec2', 'DescribeSecurityGroups', { Filters: [{ Name: 'group-id', Values: [group] }] })).SecurityGroups[0]?.VpcId
}

/** A launch page that begins as a version of a template says. */
export async function launchBy(id: string, version: string): Promise<Partial<Launch>> {
  const { VersionNumber, LaunchTemplateData } = await versionOf(id, version)
  const data = LaunchTemplateData as Data
  const [rootDevice, vpc] = await Promise.all([rootDeviceOf(data.ImageId), vpcOf(data)])
  const source = { id, version: String(VersionNumber), data }
  // Without key or groups in the template there are none, unless they are chosen here.
  return { key: '', group: 'existing', groups: [], ...launchOf(data, rootDevice ?? ''), ...(vpc && { vpc }), source }
}
