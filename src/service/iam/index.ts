/** Identity and Access Management: one line for each kind of thing that has actions. */
import type * as Sdk from '@aws-sdk/client-iam'
import type { Actions } from '#kit/action'
import { nullMember } from '#kit/error'
import { operationsOf } from '#kit/schema'
import { loadSdk } from '#kit/sdk'
import { accountActions } from '#service/iam/account'
import type { IamContext } from '#service/iam/common'
import { groupActions } from '#service/iam/groups'
import { holderActions } from '#service/iam/holders'
import { loginActions } from '#service/iam/login'
import { mfaActions } from '#service/iam/mfa'
import { linkedActions } from '#service/iam/linked'
import { oidcActions } from '#service/iam/oidc'
import { policyActions } from '#service/iam/policies'
import { profileActions } from '#service/iam/profiles'
import { roleActions } from '#service/iam/roles'
import { simulateActions } from '#service/iam/simulate'
import { userAndKeyActions } from '#service/iam/users'
import { sshKeyActions } from '#service/iam/ssh-keys'
import type { Service } from '#service/service'

const sdk = await loadSdk('iam')

const actionsOf = (context: IamContext): Actions<typeof Sdk> => ({
  ...userAndKeyActions(context), ...groupActions, ...roleActions, ...profileActions, ...policyActions, ...holderActions, ...loginActions,
    ...linkedActions, ...oidcActions, ...simulateActions, ...sshKeyActions,
  ...mfaActions(context.identity), ...accountActions(context.identity),
})

/** The whole of IAM. */
export const iam = (context: IamContext): Service => ({
  sdk, drivers: [],
  definition: {
    id: 'iam', operations: operationsOf(sdk), actions: actionsOf(context),
    missing: nullMember('ValidationError'),
  },
  sweep: () => context.identity.flush(),
})
