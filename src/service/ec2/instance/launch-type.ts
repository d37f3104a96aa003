/** Whether an instance type exists and can run on this host. */
import type { Context } from '#service/ec2/context'
import { ApiError } from '#kit/error'
import { find, limits, view, type Limits } from '#service/ec2/instance-type/instance-type'

/** The type's limits, or AWS's error: unknown type, wrong architecture for the image or for this host. */
export function checkLaunchable(context: Context, name: string, architecture: string): Limits {
  const type = find(name)
  if (!type) throw new ApiError('InvalidParameterValue', `Invalid value '${name}' for InstanceType.`)
  const own = (view(type).ProcessorInfo?.SupportedArchitectures ?? []) as string[]
  if (!own.includes(architecture)) {
    throw new ApiError('InvalidParameterValue', `The architecture '${own.join(',')}' of the specified instance type does not match `
      + `the architecture '${architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures.`)
  }
  const host = context.capacity().architecture
  if (!own.includes(host)) throw new ApiError('Unsupported', `The instance type ${name} is ${own.join(', ')}; this host is ${host}.`)
  return limits(type)
}
