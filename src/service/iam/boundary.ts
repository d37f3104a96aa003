/** Permissions boundaries: a managed policy that says at most what a user or role may. */
import type { AttachedPermissionsBoundary } from '@aws-sdk/client-iam'
import { findPolicy } from '#identity/managed'
import { gone, violation } from '#service/iam/common'
import type { Reader } from '#store/store'

export const boundaryOf = (arn: string | undefined): AttachedPermissionsBoundary | undefined =>
  arn === undefined ? undefined : { PermissionsBoundaryType: 'PermissionsBoundaryPolicy', PermissionsBoundaryArn: arn }

/** The ARN, once there is such a policy. */
export async function checkBoundary(reader: Reader, account: string, arn: string | undefined): Promise<string | undefined> {
  if (arn === undefined) return undefined
  checkArn('PermissionsBoundary', arn)
  if (!await findPolicy(reader, account, arn)) throw gone(`Scope ARN: ${arn} does not exist or is not attachable.`)
  return arn
}

export function checkArn(member: string, arn: string): void {
  if (!/^arn:[^:]+:[^:]+:[^:]*:[^:]*:[^]+$/.test(arn) || arn.length > 2048) throw violation(member, arn, 'Member must be an ARN')
}
