/** The Security Token Service: who calls. Temporary credentials are not implemented: those actions are absent. */
import type * as Sdk from '@aws-sdk/client-sts'
import type { Actions, ServiceDefinition } from '#kit/action'
import { ApiError } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'

/** The schemas; the wire reads its errors from them too. */
export const sdk = await loadSdk('sts')

const actions: Actions<typeof Sdk> = {
  GetCallerIdentity: {
    async look({ caller: { principal } }) {
      return { UserId: principal.userId, Account: principal.account, Arn: principal.arn }
    },
  },
}

/** The service as the dispatcher takes it. */
export function sts(): ServiceDefinition {
  return {
    id: 'sts', operations: operationsOf(sdk), actions,
    missing: member => new ApiError('ValidationError',
      `1 validation error detected: Value null at '${member[0]!.toLowerCase()}${member.slice(1)}' `
      + 'failed to satisfy constraint: Member must not be null'),
  }
}
