/**
 * What a version says of instances: what of it is refused when it is made, what a version based on another has, and the request that a launch
 * by a template comes to. Pure.
 *
 * A template is not fully validated (EC2 User Guide, "Restrictions for Amazon EC2 launch templates"): what can't be launched is kept, and
 * refused by the launch, as if the request had said it.
 */
import type { RunInstancesRequest } from '@aws-sdk/client-ec2'
import { ApiError } from '#kit/error'
import { tagSpecifications } from '#kit/tags'
import { invalidCombination, unsupported } from '#service/ec2/errors'
import { readUserData } from '#service/ec2/instance/launch-options'
import type { Data } from '#service/ec2/launch-template/launch-template'

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  || (typeof value === 'object' && !(value instanceof Date) && Object.values(value).every(isEmpty))

const present = <T extends object>(value: T): T => Object.fromEntries(Object.entries(value).filter(([, inner]) => !isEmpty(inner))) as T

/** One code for what is no base64 and for what is too long (terraform-provider-aws#49234). */
function checkUserData(text: string | undefined): void {
  try {
    readUserData(text)
  } catch (error) {
    throw error instanceof ApiError ? new ApiError('InvalidUserData.Malformed', error.message) : error
  }
}

/** A request's data as they are kept: without the members that say nothing. */
export function readData(given: Data): Data {
  if (given.Operator !== undefined) throw unsupported('Operator of launch templates')
  checkUserData(given.UserData)
  tagSpecifications(given.TagSpecifications)
  if (!isEmpty(given.InstanceType) && !isEmpty(given.InstanceRequirements)) {
    throw invalidCombination('InstanceType and InstanceRequirements cannot both be specified.')
  }
  return present(given)
}

/**
 * A version that is based on another: parameters that are given replace the other's, each as a whole; snapshots of volumes are not inherited
 * (API Reference, CreateLaunchTemplateVersion, SourceVersion).
 */
export function basedOn(source: Data, given: Data): Data {
  const BlockDeviceMappings = source.BlockDeviceMappings?.map(({ Ebs, ...mapping }) => {
    const { SnapshotId: _, ...ebs } = Ebs ?? {}
    return { ...mapping, ...(Ebs && { Ebs: ebs }) }
  })
  return { ...source, ...(BlockDeviceMappings && { BlockDeviceMappings }), ...given }
}

type Struct = Record<string, any>
const isStruct = (value: unknown): value is Struct =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

/** What is given over what was, down to the members of structures. */
function over(before: Struct, given: Struct): Struct {
  const merged: Struct = { ...before }
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    merged[key] = isStruct(value) && isStruct(before[key]) ? over(before[key], value) : value
  }
  return merged
}

/** Two lists as one: items of the same name are merged, others stand beside each other. */
function joined(before: readonly Struct[] = [], given: readonly Struct[] = [], nameOf: (item: Struct) => unknown, merge = over): Struct[] {
  const changed = before.map(item => {
    const change = given.find(one => nameOf(one) === nameOf(item))
    return change ? merge(item, change) : item
  })
  return [...changed, ...given.filter(one => !before.some(item => nameOf(item) === nameOf(one)))]
}

const tagged = (before: Struct, { Tags }: Struct): Struct => ({ ...before, Tags: joined(before.Tags, Tags, tag => tag.Key) })
const onlyIf = (name: string, list: Struct[]): Struct => (list.length > 0 ? { [name]: list } : {})
const without = (from: Struct, ...names: string[]): Struct => Object.fromEntries(Object.entries(from).filter(([name]) => !names.includes(name)))

/** Members of which one excludes another: what the request says of either replaces both of the template's. */
function exclusive(template: Struct, request: Struct): Struct {
  const groups = request.SecurityGroupIds?.length || request.SecurityGroups?.length
  const zoned = request.Placement?.AvailabilityZone ?? request.Placement?.AvailabilityZoneId
  const left = without(template, ...groups ? ['SecurityGroupIds', 'SecurityGroups'] : [], ...request.IamInstanceProfile ? ['IamInstanceProfile'] : [])
  return zoned === undefined || !left.Placement ? left : { ...left, Placement: without(left.Placement, 'AvailabilityZone', 'AvailabilityZoneId') }
}

/**
 * The request over a template's data: what it says counts, structures with the template's other members, tags by their keys, volumes by their
 * devices and interfaces by their indices beside the template's (EC2 User Guide, "Launch EC2 instances using a launch template").
 */
export function launchOf(data: Data, request: RunInstancesRequest): RunInstancesRequest {
  if (data.InstanceRequirements) throw unsupported('InstanceRequirements of launch templates')
  const { RamDiskId: RamdiskId, ElasticGpuSpecifications: ElasticGpuSpecification, ...rest } = data
  const { LaunchTemplate: _, ...asked } = request
  const template = exclusive({ ...rest, ...(RamdiskId && { RamdiskId }), ...(ElasticGpuSpecification && { ElasticGpuSpecification }) }, asked)
  return {
    ...over(template, asked),
    ...onlyIf('TagSpecifications', joined(template.TagSpecifications, asked.TagSpecifications, one => one.ResourceType, tagged)),
    ...onlyIf('BlockDeviceMappings', joined(template.BlockDeviceMappings, asked.BlockDeviceMappings, one => one.DeviceName)),
    ...onlyIf('NetworkInterfaces', joined(template.NetworkInterfaces, asked.NetworkInterfaces, one => one.DeviceIndex ?? 0)),
  } as RunInstancesRequest
}
