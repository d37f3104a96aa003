/** Which image a launch names. */
import type { Call } from '#kit/action'
import { ApiError } from '#kit/error'
import type { Context } from '#service/ec2/context'

/**
 * `resolve:ssm:NAME` stands for the AMI that a parameter holds, which the caller must be allowed to read (EC2 User Guide,
 * "Reference AMIs using SSM").
 */
export async function resolveImage({ parameter }: Pick<Context, 'parameter'>, call: Call<object>, text: string): Promise<string> {
  if (!text.startsWith('resolve:ssm:')) return text
  const name = text.slice('resolve:ssm:'.length)
  const found = await parameter(call.tx, call, name)
  if (!found) throw new ApiError('InvalidParameterValue', `The parameter ${name} of Systems Manager does not exist.`)
  await call.permit({ action: 'ssm:GetParameters', resource: found.arn })
  return found.value
}
