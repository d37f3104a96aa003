/**
 * What policies may ask of a launch by a template: which one it is, and whether a resource comes from it or from the request (EC2 User Guide,
 * "Use Amazon EC2 launch templates to control launching Amazon EC2 instances" and the example policies beside it).
 */
import type { KeysAsked, Place } from '#kit/action'
import { ec2Arn } from '#service/ec2/vpc/arn'

type Input = Record<string, any>
/** What the completed request says besides, for `templateKeys`: the template's ARN, and the types of resources that the request names itself. */
type Said = { LaunchTemplateArn?: string; NamedByRequest?: string[] }

/** Members of a request by the types of resources that they name. The instance is the template's whatever else the request says. */
const NAMING: Record<string, string[]> = {
  image: ['ImageId'], 'key-pair': ['KeyName'], subnet: ['SubnetId', 'NetworkInterfaces'], volume: ['BlockDeviceMappings'],
  snapshot: ['BlockDeviceMappings'], 'network-interface': ['NetworkInterfaces'],
  'security-group': ['SecurityGroupIds', 'SecurityGroups', 'NetworkInterfaces'],
}

const isSaid = (value: unknown): boolean => value !== undefined && !(Array.isArray(value) && value.length === 0)

export function ofTemplate(place: Place, { template, number }: { template: string; number: number }, request: Input): Said & Input {
  const NamedByRequest = Object.keys(NAMING).filter(type => NAMING[type]!.some(member => isSaid(request[member])))
  return {
    LaunchTemplate: { LaunchTemplateId: template, Version: String(number) }, NamedByRequest,
    LaunchTemplateArn: ec2Arn('launch-template', { ...place, id: template }),
  }
}

const typeOf = (arn: string): string => arn.split(':')[5]?.split('/')[0] ?? ''

export async function templateKeys({ action, resource, input }: KeysAsked): Promise<Record<string, string[]>> {
  if (action !== 'ec2:RunInstances') return {}
  const { LaunchTemplateArn: arn, NamedByRequest = [] } = input as Said
  return {
    'ec2:IsLaunchTemplateResource': [String(arn !== undefined && !NamedByRequest.includes(typeOf(resource)))],
    ...(arn !== undefined && { 'ec2:LaunchTemplate': [arn] }),
  }
}
