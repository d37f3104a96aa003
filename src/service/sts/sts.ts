/** The Security Token Service: who calls, and credentials for a while. */
import type * as Sdk from '@aws-sdk/client-sts'
import type { Actions } from '#kit/action'
import { nullMember } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import type { Identity } from '#identity/identity'
import { assumeActions, federationActions } from '#service/sts/assume'
import { sessionActions } from '#service/sts/session'
import { webIdentityActions } from '#service/sts/web-identity'
import type { Service } from '#service/service'

/** The schemas; the wire reads its errors from them too. */
export const sdk = await loadSdk('sts')

const actions = (identity: Identity): Actions<typeof Sdk> => ({
  GetCallerIdentity: {
    async look({ caller: { principal } }) {
      return { UserId: principal.userId, Account: principal.account, Arn: principal.arn }
    },
  },
  ...sessionActions(identity), ...assumeActions(identity), ...federationActions(identity), ...webIdentityActions(identity),
})

/** The whole of STS. */
export const sts = ({ identity }: { identity: Identity }): Service => ({
  sdk, drivers: [],
  definition: {
    id: 'sts', operations: operationsOf(sdk), actions: actions(identity),
    missing: nullMember('ValidationError'),
  },
})
