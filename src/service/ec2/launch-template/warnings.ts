/** What a launch by a new version would be refused for, as CreateLaunchTemplate warns of it and makes the version nevertheless. */
import type { ValidationError, ValidationWarning } from '@aws-sdk/client-ec2'
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'
import { imageForLaunch } from '#service/ec2/image/image'
import { refuseUnsupported } from '#service/ec2/instance/launch-options'
import { checkLaunchable } from '#service/ec2/instance/launch-type'
import { keyPairForLaunch } from '#service/ec2/key-pair/key-pair'
import { launchOf } from '#service/ec2/launch-template/data'
import type { Data } from '#service/ec2/launch-template/launch-template'
import { securityGroup } from '#service/ec2/security-group/security-group'
import { subnet } from '#service/ec2/subnet/subnet'

export async function warningOf(context: Pick<Context, 'capacity'>, call: Call<object>, data: Data): Promise<ValidationWarning | undefined> {
  const { tx } = call
  const { ImageId, InstanceType, KeyName, SecurityGroupIds = [], NetworkInterfaces = [] } = data
  const alias = ImageId?.startsWith('resolve:ssm:')
  const checks: (() => unknown)[] = [
    () => refuseUnsupported(launchOf(data, { MinCount: 1, MaxCount: 1 })),
    ...ImageId && !alias ? [() => imageForLaunch(tx, call, ImageId)] : [],
    ...InstanceType ? [() => checkLaunchable(context as Context, InstanceType, context.capacity().architecture)] : [],
    ...KeyName ? [() => keyPairForLaunch(tx, call, KeyName)] : [],
    ...[...SecurityGroupIds, ...NetworkInterfaces.flatMap(one => one.Groups ?? [])].map(id => () => securityGroup.get(tx, call, id)),
    ...NetworkInterfaces.flatMap(({ SubnetId: id }) => (id === undefined ? [] : [() => subnet.get(tx, call, id)])),
  ]
  const Errors: ValidationError[] = []
  for (const check of checks) {
    try {
      await check()
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      Errors.push({ Code: error.code, Message: error.message })
    }
  }
  return Errors.length > 0 ? { Errors } : undefined
}
