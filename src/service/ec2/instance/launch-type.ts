/** Whether an instance type exists and can run on this host. */
import type { Context } from '#service/ec2/context'
import { ApiError } from '#kit/error'
import { find, limits } from '#service/ec2/instance-type/instance-type'

/** The type's limits, or AWS's error: unknown type, wrong architecture for the image. */
export function checkLaunchable(context: Context, type: string, architecture: string): ReturnType<typeof limits> {
  const facts = find(type)
  if (!facts) throw new ApiError('InvalidParameterValue', `Invalid value '${type}' for InstanceType.`)
  if (facts.architecture !== architecture) {
    throw new ApiError('InvalidParameterValue',
      `The architecture '${facts.architecture}' of the specified instance type does not match the architecture '${architecture}' of the specified AMI.`)
  }
  const host = context.capacity().architecture
  if (facts.architecture !== host) {
    throw new ApiError('Unsupported', `The instance type ${type} is ${facts.architecture}; this host is ${host}.`)
  }
  return limits(type)
}
